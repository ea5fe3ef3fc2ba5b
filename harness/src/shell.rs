//! Parts of commands, as a shell takes them: commands that are printed can be given again.

use std::path::Path;

use crate::visible::is_obeyed;

/// `path` as a shell takes it.
pub(crate) fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=,@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text
    } else if text.contains(is_obeyed) {
        // A line stays a line, and a terminal is told nothing: the shell reads these as the characters that they are.
        let spelled = text.chars().map(|c| match c {
            '\'' | '\\' => format!("\\{c}"),
            _ if c.is_ascii() && is_obeyed(c) => format!("\\x{:02x}", c as u32),
            _ if is_obeyed(c) => format!("\\u{:04x}", c as u32),
            _ => c.to_string(),
        });
        format!("$'{}'", spelled.collect::<String>())
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// `text` as part of a file's name, which stays in its folder whatever the text says.
pub(crate) fn file_name(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "._-+".contains(c);
    text.chars().map(|c| if plain(c) { c } else { '_' }).collect()
}

/// Reads `KEY=VALUE`: a key of a scenario and the value it is given. A place in a list is written `release.0.at`
/// or, as diagnostics show it, `release[0].at`.
pub(crate) fn setting(text: &str) -> Result<(String, String), &'static str> {
    let parts = text.split_once('=').filter(|(key, _)| !key.is_empty());
    let (key, value) = parts.ok_or("expected a key and a value, such as `fleet.nodes=7`")?;
    Ok((key.replace('[', ".").replace(']', ""), value.to_owned()))
}

/// The arguments that give `settings`, each with a space before it.
pub(crate) fn settings(settings: &[(String, String)]) -> String {
    let each = settings
        .iter()
        .map(|(key, value)| format!(" --set {}", quoted(Path::new(&format!("{key}={value}")))));
    each.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_a_list_is_written_as_diagnostics_show_it() {
        let key = |text| setting(text).map(|(key, value)| format!("{key} {value}"));
        assert_eq!(key("release[0].at=[1]").as_deref(), Ok("release.0.at [1]"));
        assert_eq!(key("fault[1].partition.groups[0]=n0"), key("fault.1.partition.groups.0=n0"));
        assert!(key("=4").is_err());
    }

    #[test]
    fn a_name_that_a_terminal_would_obey_stays_on_its_line() {
        let shown = |text: &str| quoted(Path::new(text));
        assert_eq!(shown("a b.toml"), "'a b.toml'");
        assert_eq!(shown("a\n1'\\.toml"), r"$'a\x0a1\'\\.toml'");
        assert_eq!(shown("\u{1b}[1m\u{202e}\u{9b}é"), r"$'\x1b[1m\u202e\u009bé'");
    }

    #[test]
    fn a_name_stays_in_its_folder() {
        assert_eq!(file_name("../a b/ü"), ".._a_b_ü");
    }
}
