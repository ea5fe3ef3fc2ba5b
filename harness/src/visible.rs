//! Text of others, as it may stand on a terminal.

/// `text` with what a terminal would obey spelled out.
pub(crate) fn visible(text: &str) -> String {
    let spelled = |character: char| match is_obeyed(character) {
        true => character.escape_default().to_string(),
        false => character.to_string(),
    };
    text.chars().map(spelled).collect()
}

/// Whether a terminal does something else than to show `character`: it is a control character, or it embeds,
/// overrides or isolates a direction, so that what follows is shown in another order than it stands.
///
/// Source: Unicode Standard Annex 9, section 2 (explicit directional formatting), without the marks, which move
/// nothing but what stands beside them.
pub(crate) fn is_obeyed(character: char) -> bool {
    character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_moves_the_cursor_or_changes_colours() {
        assert_eq!(visible("é“a”\n\t\u{1b}[31m\u{9b}"), "é“a”\\n\\t\\u{1b}[31m\\u{9b}");
    }

    #[test]
    fn no_text_changes_the_order_in_which_what_follows_is_shown() {
        assert_eq!(visible("a\u{202e}b\u{2066}c\u{200f}"), "a\\u{202e}b\\u{2066}c\u{200f}");
    }
}
