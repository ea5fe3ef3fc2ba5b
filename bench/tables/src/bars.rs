//! The bars: what the figures must reach.

/// A claim on the figures, and what was found.
#[derive(Debug)]
pub(crate) struct Bar {
    claim: String,
    found: String,
    holds: bool,
}

impl Bar {
    /// `found` must be `least` or more.
    pub(crate) fn at_least(claim: impl Into<String>, found: f64, least: f64) -> Self {
        let claim = format!("{} >= {least}", claim.into());
        Self { claim, found: format!("{found:.2}"), holds: found >= least }
    }

    /// `found` must be `most` or less.
    pub(crate) fn at_most(claim: impl Into<String>, found: f64, most: f64) -> Self {
        let claim = format!("{} <= {most}", claim.into());
        Self { claim, found: format!("{found:.2}"), holds: found <= most }
    }

    /// Something must be so.
    pub(crate) fn so(claim: impl Into<String>, found: impl Into<String>, holds: bool) -> Self {
        Self { claim: claim.into(), found: found.into(), holds }
    }
}

/// Prints all bars as one table.
pub(crate) fn print(bars: &[Bar]) {
    println!("\n## Bars\n\n| bar | found | holds |\n|---|---:|---|");
    for Bar { claim, found, holds } in bars {
        println!("| {claim} | {found} | {} |", if *holds { "yes" } else { "**NO**" });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_holds_on_its_edge_and_not_beyond() {
        assert!(Bar::at_least("x", 0.5, 0.5).holds && !Bar::at_least("x", 0.499, 0.5).holds);
        assert!(Bar::at_most("x", 2.5, 2.5).holds && !Bar::at_most("x", 2.501, 2.5).holds);
        assert!(!Bar::at_least("x", f64::NAN, 0.5).holds);
    }
}
