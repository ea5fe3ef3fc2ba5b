use super::*;
use crate::{
    browser::{self, document, said},
    testing,
};

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
    assert!(page.contains("simctl shrink scenarios&#x2f;major-bump.toml --seed 17 --set"));
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
fn a_template_that_does_not_end_is_refused() {
    let digest = testing::digest(3);
    let said = |text: &str| report_by(&digest, "mine.html", text).unwrap_err().to_string();
    let nested = |inside: &str| {
        let all = "{% for one in range(9999) %}".repeat(3);
        format!("{all}{inside}{}", "{% endfor %}".repeat(3))
    };
    let steps = said(&nested(""));
    assert!(steps.contains("it goes on without an end"), "{steps}");
    let bytes = said(&nested(&"x".repeat(100_000)));
    assert!(bytes.contains("its page grows without an end"), "{bytes}");
}

#[test]
fn a_command_is_quoted_for_a_shell() {
    assert_eq!(quoted("network.loss=5%"), "network.loss=5%");
    assert_eq!(quoted("it's"), r"'it'\''s'");
}

/// What a script finds in the page once it is laid out.
const LOOK: &str = r#"<script>
(function () {
  var all = function (what) { return Array.from(document.querySelectorAll(what)); };
  var data = document.body.dataset;
  var named = function (svg) {
    return svg.getAttribute("aria-labelledby").split(" ").every(function (id) {
      return document.getElementById(id).textContent.trim() !== "";
    });
  };
  data.unnamed = all("svg[role=img]").filter(function (svg) { return !named(svg); }).length;
  data.unpainted = all("svg polyline").filter(function (line) {
    return getComputedStyle(line).stroke === "none";
  }).length;
  data.small = all("svg[role=img] text").filter(function (text) {
    return text.getBoundingClientRect().height < 9;
  }).length;
  data.dead = all("a[href^='#']").filter(function (link) {
    return !document.getElementById(link.getAttribute("href").slice(1));
  }).length;
  data.levels = all("h1,h2,h3").map(function (one) { return one.tagName[1]; }).join("");
  all("button[data-copy]")[0].click();
  data.chosen = getSelection().toString() || "copied";
  data.wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
})();
</script></body>"#;

#[test]
fn a_browser_finds_the_report_whole() {
    let digest = testing::digest(400);
    let page = report(&digest).replace("</body>", LOOK);
    let Some(document) = document(&page, "") else { return };
    let said = |name| browser::said(&document, name);
    assert_eq!((said("ready"), said("verdict")), ("1", "fails"));
    assert_eq!(said("failed"), digest.failed().to_string());
    assert_eq!(
        (said("unnamed"), said("unpainted"), said("dead"), said("wide")),
        ("0", "0", "0", "0")
    );
    let mut levels = said("levels").chars().map(|level| level.to_digit(10).unwrap());
    let mut last = levels.next().unwrap();
    assert_eq!(last, 1);
    for level in levels {
        assert!(level <= last + 1, "a heading skips no level");
        last = level;
    }
    assert!(said("chosen") == "copied" || said("chosen").starts_with("simctl run "));
}

#[test]
fn a_phone_shows_the_report_without_scrolling_sideways() {
    let inner = report(&testing::digest(60)).replace("</body>", LOOK);
    let inner = inner.replace('&', "&amp;").replace('"', "&quot;");
    let outer = format!(
        "<!doctype html><body data-kind=\"phone\"><iframe width=375 height=800 style=\"border:0\" \
         srcdoc=\"{inner}\" onload=\"document.body.dataset.wide=contentDocument.body.dataset.wide;\
         document.body.dataset.small=contentDocument.body.dataset.small\"></iframe></body>"
    );
    let Some(document) = document(&outer, "") else { return };
    assert_eq!(said(&document, "wide"), "0");
    assert_eq!(said(&document, "small"), "0", "text of plots that is too small to read");
}
