//! Text of others, as it may stand on a terminal.

/// `text` with its control characters spelled out.
pub(crate) fn visible(text: &str) -> String {
    let spelled = |character: char| match character.is_control() {
        true => character.escape_default().to_string(),
        false => character.to_string(),
    };
    text.chars().map(spelled).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_moves_the_cursor_or_changes_colours() {
        assert_eq!(visible("é“a”\n\t\u{1b}[31m\u{9b}"), "é“a”\\n\\t\\u{1b}[31m\\u{9b}");
    }
}
