//! What goes to a terminal: words of files and arguments are in it, and a terminal obeys no word of theirs but a colour.

use crate::visible::{is_obeyed, visible};

/// What begins the change of a style, and what ends it.
const STYLE: (&str, char) = ("\u{1b}[", 'm');

/// `text` as it may stand on a terminal: what that would obey is spelled out, but for the ends of lines, for
/// tabs, and for colours such as our own.
pub(super) fn safe(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(is_obeyed) {
        safe += &visible(&rest[..at]);
        let length = kept(&rest[at..]);
        safe += &rest[at..at + length];
        rest = &rest[at + length..];
        if length == 0 {
            let mut characters = rest.chars();
            safe.extend(
                characters.next().map(|character| visible(character.encode_utf8(&mut [0; 4]))),
            );
            rest = characters.as_str();
        }
    }
    safe + &visible(rest)
}

/// How many bytes of `text`, which begins with what a terminal would obey, stay as they are.
fn kept(text: &str) -> usize {
    if text.starts_with(['\n', '\t']) {
        return 1;
    }
    let Some(after) = text.strip_prefix(STYLE.0) else { return 0 };
    let end = after.find(|other: char| !other.is_ascii_digit() && other != ';');
    let codes = &after[..end.unwrap_or(after.len())];
    let is_style = after[codes.len()..].starts_with(STYLE.1) && codes.split(';').all(is_colour);
    if is_style { STYLE.0.len() + codes.len() + 1 } else { 0 }
}

/// Whether a code of a style does no more than colour: nothing is hidden, and nothing blinks.
fn is_colour(code: &str) -> bool {
    let number: Option<u8> = code.parse().ok();
    code.len() <= 2 && matches!(number, Some(0..=3 | 31..=37 | 39 | 91..=97))
}

#[cfg(test)]
mod tests {
    use super::{
        super::style::{BAD, BOLD, DIM, GOOD},
        *,
    };

    #[test]
    fn our_own_styles_and_lines_stay() {
        let text = format!("{BAD}a{BAD:#}\n{BOLD}b{BOLD:#}\t{DIM}c{DIM:#}{GOOD}é{GOOD:#}\n");
        assert_eq!(safe(&text), text);
        let diagnostic = "\u{1b}[1m\u{1b}[91merror\u{1b}[0m\u{1b}[1;94m |\u{1b}[0m";
        assert_eq!(safe(diagnostic), diagnostic);
    }

    #[test]
    fn what_a_terminal_would_obey_is_spelled_out() {
        assert_eq!(safe("a\u{1b}]0;title\u{7}b"), "a\\u{1b}]0;title\\u{7}b");
        assert_eq!(
            safe("\u{1b}[2J\u{1b}[H\r\u{8}\u{9b}1m"),
            "\\u{1b}[2J\\u{1b}[H\\r\\u{8}\\u{9b}1m"
        );
        assert_eq!(safe("\u{1b}[8mhidden\u{1b}[m"), "\\u{1b}[8mhidden\\u{1b}[m");
        assert_eq!(safe("\u{1b}"), "\\u{1b}");
        assert_eq!(safe("\u{1b}[+1m\u{1b}[031m"), "\\u{1b}[+1m\\u{1b}[031m");
        assert_eq!(safe("\u{202e}txt.exe\n"), "\\u{202e}txt.exe\n");
    }
}
