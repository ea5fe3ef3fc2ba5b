//! Colours by what they mean, in light and dark.
//!
//! Categories are told apart by the palette of Okabe and Ito, which the colour-blind can read, and by
//! dashes besides; heat maps are viridis. On dark paper the same hues are lighter.

use plotters::style::RGBColor;

/// A colour by what it means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Ink {
    /// What is drawn on.
    Paper,
    /// What matters: titles, marks.
    Text,
    /// What explains: labels of axes.
    Soft,
    /// What guides the eye.
    Grid,
    /// A fault.
    Fault,
    /// One of [`SERIES`] categories.
    Series(usize),
    /// A colour that is the same on any paper.
    Fixed(u8, u8, u8),
}

/// How many categories have a colour of their own.
pub(crate) const SERIES: usize = 7;

/// Name in CSS, light, dark.
type Shade = (&'static str, [u8; 3], [u8; 3]);

const SHADES: [Shade; 5 + SERIES] = [
    ("paper", [0xff, 0xff, 0xff], [0x15, 0x18, 0x1c]),
    ("text", [0x1a, 0x1d, 0x21], [0xe8, 0xea, 0xed]),
    ("soft", [0x5b, 0x63, 0x6d], [0x9d, 0xa5, 0xaf]),
    ("grid", [0xe3, 0xe6, 0xea], [0x2d, 0x32, 0x38]),
    ("fault", [0xb8, 0x4a, 0x00], [0xf0, 0x8a, 0x4b]),
    ("s0", [0x00, 0x72, 0xb2], [0x4a, 0xa8, 0xe8]),
    ("s1", [0xd5, 0x5e, 0x00], [0xf2, 0x85, 0x3d]),
    ("s2", [0x00, 0x9e, 0x73], [0x2c, 0xc3, 0x97]),
    ("s3", [0xcc, 0x79, 0xa7], [0xe3, 0x9d, 0xc4]),
    ("s4", [0xe6, 0x9f, 0x00], [0xf2, 0xba, 0x3a]),
    ("s5", [0x56, 0xb4, 0xe9], [0x9a, 0xd4, 0xf5]),
    ("s6", [0x4d, 0x4d, 0x4d], [0xc4, 0xc8, 0xcd]),
];

/// The first part of a colour that stands for an ink until the picture is done: no other colour has a
/// second part as small as the number of an ink.
const MARKER: u8 = 0xfd;

/// Dashes in parts of the canvas: the second sign that tells lines apart.
pub(crate) const DASHES: [&[f64]; 4] = [&[], &[6.0, 3.0], &[1.6, 2.6], &[8.0, 2.6, 1.6, 2.6]];

impl Ink {
    fn number(self) -> Option<usize> {
        match self {
            Self::Paper => Some(0),
            Self::Text => Some(1),
            Self::Soft => Some(2),
            Self::Grid => Some(3),
            Self::Fault => Some(4),
            Self::Series(index) => Some(5 + index % SERIES),
            Self::Fixed(..) => None,
        }
    }

    /// The colour on light paper.
    pub(crate) fn light(self) -> RGBColor {
        match (self, self.number()) {
            (Self::Fixed(red, green, blue), _) => RGBColor(red, green, blue),
            (_, number) => {
                let [red, green, blue] = SHADES[number.expect("every other ink has a number")].1;
                RGBColor(red, green, blue)
            }
        }
    }

    /// A colour that stands for the ink and the dash until [`unmarked`] puts their names in its place.
    pub(crate) fn marker(self, dash: usize) -> RGBColor {
        match (self, self.number()) {
            (Self::Fixed(red, green, blue), _) => RGBColor(red, green, blue),
            (_, number) => {
                let number = number.expect("every other ink has a number") as u8;
                RGBColor(MARKER, number, (dash % DASHES.len()) as u8)
            }
        }
    }
}

/// Where a picture stands: what its colours are written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In a page that says what the variables of CSS mean.
    Page,
    /// In a file of its own, which programs without variables read too.
    Alone,
}

/// `svg` with the names of its colours, and with dashes, in the place of what stands for them.
pub(crate) fn unmarked(svg: &str, place: Place, scale: f64) -> String {
    let mut text = String::with_capacity(svg.len());
    let mut rest = svg;
    while let Some(found) = rest.find("=\"#FD0") {
        let (before, after) = rest.split_at(found);
        text += before;
        let code = |from: usize| {
            after.get(from..from + 2).and_then(|digits| usize::from_str_radix(digits, 16).ok())
        };
        let shade = code(5).and_then(|number| SHADES.get(number));
        let (Some(shade), Some(dash)) = (shade, code(7).filter(|dash| *dash < DASHES.len())) else {
            text += &after[..3];
            rest = &after[3..];
            continue;
        };
        text += &match place {
            Place::Page => format!("=\"var(--{})\"", shade.0),
            Place::Alone => format!("=\"{}\"", hex(shade.1)),
        };
        if dash > 0 {
            let lengths = DASHES[dash].iter().map(|length| (length * scale).round().to_string());
            let lengths = lengths.collect::<Vec<_>>().join(" ");
            text += &format!(" stroke-dasharray=\"{lengths}\"");
        }
        // The quote, the mark of a colour, its six digits and the other quote.
        rest = &after[10..];
    }
    text + rest
}

/// What a page says of the colours, for both kinds of paper.
pub(crate) fn variables() -> String {
    let list = |dark: bool| -> String {
        let each = SHADES
            .iter()
            .map(|shade| format!("--{}:{};", shade.0, hex(if dark { shade.2 } else { shade.1 })));
        each.collect()
    };
    format!(
        ":root{{color-scheme:light dark;{}}}\n@media(prefers-color-scheme:dark){{:root{{{}}}}}\n",
        list(false),
        list(true)
    )
}

/// What a picture in a file of its own says of dark paper.
pub(crate) fn style_alone() -> String {
    let each = SHADES.iter().map(|(_, light, dark)| {
        let (light, dark) = (hex(*light), hex(*dark));
        format!("[fill=\"{light}\"]{{fill:{dark}}}[stroke=\"{light}\"]{{stroke:{dark}}}")
    });
    format!("@media(prefers-color-scheme:dark){{{}}}", each.collect::<String>())
}

fn hex([red, green, blue]: [u8; 3]) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_becomes_a_name_and_a_dash() {
        let svg = "<polyline stroke=\"#FD0601\" fill=\"#FDE725\" points=\"1,2\"/>";
        assert_eq!(
            unmarked(svg, Place::Page, 10.0),
            "<polyline stroke=\"var(--s1)\" stroke-dasharray=\"60 30\" fill=\"#FDE725\" points=\"1,2\"/>"
        );
        assert!(unmarked(svg, Place::Alone, 10.0).starts_with("<polyline stroke=\"#d55e00\" "));
    }

    #[test]
    fn what_only_looks_like_a_marker_stays() {
        for text in ["=\"#FD0", "=\"#FD09", "=\"#FD0FFF\"", "=\"#FD01é\""] {
            assert_eq!(unmarked(text, Place::Page, 1.0), text);
        }
    }

    /// Lines and text must stand out from their paper: WCAG asks 3 to 1 of graphics, 4.5 of text.
    #[test]
    fn inks_stand_out_from_both_papers() {
        let light = |[red, green, blue]: [u8; 3]| {
            let part = |part: u8| {
                let part = f64::from(part) / 255.0;
                if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
            };
            0.2126 * part(red) + 0.7152 * part(green) + 0.0722 * part(blue)
        };
        let contrast = |one, two| {
            let (one, two) = (light(one) + 0.05, light(two) + 0.05);
            f64::max(one / two, two / one)
        };
        for (name, on_light, on_dark) in SHADES {
            let least = match name {
                "text" | "soft" | "fault" => 4.5,
                "s0" | "s1" | "s2" | "s6" => 3.0,
                // Okabe and Ito chose these lighter; a dash and a name tell them apart as well.
                "s3" | "s4" | "s5" => 2.0,
                _ => continue,
            };
            assert!(contrast(on_light, SHADES[0].1) >= least, "{name} on light paper");
            assert!(contrast(on_dark, SHADES[0].2) >= least.max(3.0), "{name} on dark paper");
        }
    }
}
