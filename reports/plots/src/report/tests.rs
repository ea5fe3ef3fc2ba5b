use super::*;
use crate::testing;

/// The elements of a page, in order: name and attributes. Fails on what no browser would take as meant.
fn elements(page: &str) -> Vec<(String, String)> {
    const VOID: &[&str] = &["meta", "br", "!doctype"];
    let mut open: Vec<String> = Vec::new();
    let mut all = Vec::new();
    let mut rest = page;
    while let Some(begin) = rest.find('<') {
        let end = begin + rest[begin..].find('>').expect("a tag ends");
        let tag = &rest[begin + 1..end];
        rest = &rest[end + 1..];
        let name: String =
            tag.trim_start_matches('/').chars().take_while(|c| !" \n/".contains(*c)).collect();
        if tag.starts_with('/') {
            assert_eq!(open.pop().as_deref(), Some(&*name), "closed what is not open");
            continue;
        }
        all.push((name.clone(), tag[name.len()..].to_owned()));
        if tag.ends_with('/') || VOID.contains(&&*name) {
            continue;
        }
        if name == "script" || name == "style" {
            let close = format!("</{name}>");
            let to = rest.find(&close).expect("it is closed");
            rest = &rest[to + close.len()..];
            continue;
        }
        open.push(name);
    }
    assert!(open.is_empty(), "left open: {open:?}");
    all
}

fn count_of(elements: &[(String, String)], name: &str) -> usize {
    elements.iter().filter(|(one, _)| one == name).count()
}

#[test]
fn a_report_is_whole_and_named_throughout() {
    let page = report(&testing::digest(400));
    let elements = elements(&page);
    assert_eq!(count_of(&elements, "h1"), 1);
    assert_eq!(count_of(&elements, "h2"), 4, "failures, overview, two scenarios");
    assert_eq!(count_of(&elements, "table"), count_of(&elements, "caption"));
    assert_eq!(count_of(&elements, "article"), 2, "one for each kind of failure");
    let pictures =
        elements.iter().filter(|(name, tag)| name == "svg" && tag.contains("role=\"img\""));
    assert_eq!(pictures.count(), count_of(&elements, "desc"));
    assert_eq!(count_of(&elements, "desc"), 11, "overview, 2 ecdf, 2 heat maps, 3 timelines of 2");
    let ids: Vec<&str> = elements
        .iter()
        .filter_map(|(_, tag)| {
            tag.split(" id=\"").nth(1).or(tag.strip_prefix("id=\""))?.split('"').next()
        })
        .collect();
    let unique: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!(unique.len(), ids.len(), "an id names one element");
}

#[test]
fn a_report_needs_no_network_and_shows_no_markup_of_others() {
    let page = report(&testing::digest(400));
    for foreign in ["http://", "https://", "@import", "url(", " src=", "<hot-swaps>", "<m7>"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    assert!(page.contains("&lt;m7&gt;") && page.contains("&lt;hot-swaps&gt;"));
}

#[test]
fn a_report_says_how_to_repeat_what_it_shows() {
    let page = report(&testing::digest(400));
    assert!(
        page.contains("simctl run scenarios&#x2f;major-bump.toml --seed 17 --set"),
        "a failure"
    );
    assert!(page.contains("data-verdict=\"fails\" data-runs=\"2800\""));
    assert_eq!(page, report(&testing::digest(400)), "the same sweep, the same page");
}

#[test]
fn a_user_may_bring_a_template() {
    let digest = testing::digest(3);
    let text =
        report_by(&digest, "mine.html", "{{ runs }} runs of {{ scenarios|length }}").unwrap();
    assert_eq!(text, "21 runs of 2");
    let error = report_by(&digest, "mine.html", "a\n{{ scenarioes }}").unwrap_err().to_string();
    assert!(error.starts_with("mine.html:2: "), "{error}");
    let error = report_by(&digest, "mine.html", "{% for %}").unwrap_err().to_string();
    assert!(error.starts_with("mine.html:1: "), "{error}");
}

#[test]
fn a_command_is_quoted_for_a_shell() {
    assert_eq!(quoted("network.loss=5%"), "network.loss=5%");
    assert_eq!(quoted("it's"), r"'it'\''s'");
}

#[test]
fn sample() {
    if let Ok(path) = std::env::var("SAMPLE") {
        std::fs::write(path, report(&testing::digest(2000))).unwrap();
    }
}
