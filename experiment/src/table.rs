//! A table, and how its numbers are written.

use std::fmt::Write as _;

use crate::spread::Spread;

/// A table whose first column is text and all others numbers.
#[derive(Clone, Debug)]
pub struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// One without rows.
    pub fn new(columns: &[&str]) -> Self {
        Self { head: columns.iter().map(|column| (*column).to_owned()).collect(), rows: Vec::new() }
    }

    /// Adds a row.
    pub fn push(&mut self, cells: Vec<String>) {
        assert_eq!(cells.len(), self.head.len(), "a row has a cell of each column");
        self.rows.push(cells);
    }

    /// As Markdown. What is in a cell ends none.
    pub fn markdown(&self) -> String {
        let line = |cells: &[String]| {
            let cells = cells.iter().map(|cell| spelled(cell).replace('|', "\\|"));
            cells.collect::<Vec<_>>().join(" | ")
        };
        let mut text = format!("| {} |\n| --- |", line(&self.head));
        text += &" ---: |".repeat(self.head.len() - 1);
        text.push('\n');
        for cells in &self.rows {
            let _ = writeln!(text, "| {} |", line(cells));
        }
        text
    }

    /// For a terminal: each column as wide as it must be.
    pub fn aligned(&self) -> String {
        let width = |column: usize| {
            let cells = self.rows.iter().chain([&self.head]).map(|cells| cells[column].chars());
            cells.map(Iterator::count).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.head.len()).map(width).collect();
        let mut text = String::new();
        for cells in [&self.head].into_iter().chain(&self.rows) {
            let mut line = String::new();
            for (column, (cell, width)) in cells.iter().zip(&widths).enumerate() {
                let _ = match column {
                    0 => write!(line, "{cell:<width$}"),
                    _ => write!(line, "  {cell:>width$}"),
                };
            }
            text += line.trim_end();
            text.push('\n');
        }
        text
    }
}

/// `text` on one line and in the order in which it stands: control characters are spelled out, and those that
/// embed, override or isolate a direction.
///
/// Source: Unicode Standard Annex 9, section 2.
pub fn spelled(text: &str) -> String {
    let is_obeyed = |character: char| {
        character.is_control()
            || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let spelled = |character: char| match is_obeyed(character) {
        true => character.escape_default().to_string(),
        false => character.to_string(),
    };
    text.chars().map(spelled).collect()
}

/// `text` as code of Markdown, between one backtick more than there are in a row in it.
pub fn code(text: &str) -> String {
    let most = text.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    let (fence, text) = ("`".repeat(most + 1), spelled(text));
    // What begins or ends with a backtick is kept apart from those around it.
    let apart = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{apart}{text}{apart}{fence}")
}

/// `number` with three digits that count, and no more than three behind the point.
pub fn short(number: f64) -> String {
    match number {
        100.0.. => thousands(number),
        10.0.. => format!("{number:.1}"),
        1.0.. => format!("{number:.2}"),
        _ => format!("{number:.3}"),
    }
}

/// A whole number, its thousands apart.
pub fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut apart = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            apart.push(',');
        }
        apart.push(digit);
    }
    apart
}

/// A share, of a hundred.
pub fn percent(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}

/// A figure as `shown` writes it, or a gap where there is none.
pub fn cell(figure: Option<f64>, shown: impl Fn(f64) -> String) -> String {
    figure.map_or_else(|| "-".to_owned(), shown)
}

/// Mean, median and last percentile.
pub fn three(figures: [f64; 3]) -> String {
    figures.map(short).join(" / ")
}

/// Mean, median and last percentile of a spread, in units of so many.
pub fn spread(spread: &Spread, unit: f64) -> String {
    three([spread.mean, spread.median, spread.last].map(|figure| figure / unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_a_terminal_are_as_wide_as_they_must_be() {
        let mut table = Table::new(&["what", "µs", "blocks"]);
        table.push(["insert", "12.5", ""].map(str::to_owned).to_vec());
        table.push(["x", "1", "1,000"].map(str::to_owned).to_vec());
        assert_eq!(table.aligned(), "what      µs  blocks\ninsert  12.5\nx          1   1,000\n");
    }

    #[test]
    fn no_name_ends_a_cell_of_markdown() {
        let mut table = Table::new(&["row", "a|b"]);
        table.push(vec![code("a|b\n`c`"), "1".to_owned()]);
        assert_eq!(
            table.markdown(),
            "| row | a\\|b |\n| --- | ---: |\n| `` a\\|b\\n`c` `` | 1 |\n"
        );
        assert_eq!(code("ls"), "`ls`");
        assert_eq!(code("a\u{202e}b\u{2066}\u{200f}"), "`a\\u{202e}b\\u{2066}\u{200f}`");
        assert_eq!(code("a``b"), "```a``b```");
    }

    #[test]
    fn numbers_are_as_long_as_they_count() {
        let shown = [0.0374, 1.234, 22.13, 181.4, 12_345.6].map(short);
        assert_eq!(shown, ["0.037", "1.23", "22.1", "181", "12,346"]);
    }
}
