//! JSON Lines: failures, tallies and timelines, few enough to be read by people.

use std::path::Path;

use serde::{Serialize, de::DeserializeOwned};

use super::StoreError;

/// `items`, one JSON object a line.
pub fn to_lines<T: Serialize>(items: &[T]) -> String {
    let line = |item: &T| serde_json::to_string(item).expect("results are JSON") + "\n";
    items.iter().map(line).collect()
}

/// The items of `text`, which is said to be in the file `path`.
pub fn from_lines<T: DeserializeOwned>(path: &Path, text: &str) -> Result<Vec<T>, StoreError> {
    let mut items = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let item = serde_json::from_str(line).map_err(|error| StoreError::Damaged {
            path: path.into(),
            why: format!("line {} cannot be read ({error})", number + 1),
            expected: "one JSON object a line".into(),
            recovered: format!("the {} lines before it", items.len()),
        })?;
        items.push(item);
    }
    if text.is_empty() || text.ends_with('\n') {
        return Ok(items);
    }
    Err(StoreError::Damaged {
        path: path.into(),
        why: format!("line {} has no end: the file was cut off", items.len()),
        expected: "a line break after each line".into(),
        recovered: format!("the {} lines before it", items.len() - 1),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_read_back() {
        let text = to_lines(&[1, 2, 3]);
        assert_eq!(text, "1\n2\n3\n");
        assert_eq!(from_lines::<u32>(Path::new("x"), &text).unwrap(), [1, 2, 3]);
    }

    #[test]
    fn a_bad_line_is_named_with_what_came_before() {
        let read = |text| from_lines::<u32>(Path::new("x.jsonl"), text).unwrap_err().to_string();
        assert!(read("1\n2\nthree\n").starts_with("x.jsonl is damaged: line 3 cannot be read"));
        assert!(read("1\n2\nthree\n").ends_with("recovered the 2 lines before it"));
        assert!(read("1\n23").contains("line 2 has no end"));
    }
}
