//! The page in a real browser, where there is one: what it says of itself once its scripts have run.

use std::{
    fs,
    process::{Command, Stdio},
};

use results::{Diagram, Fate, Lane, Message};

use super::{page, testing::small};

/// Names under which the browser may be found.
const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// The document after its scripts have run on `page` at `address`; `None`: there is no browser.
fn document(page: &str, address: &str) -> Option<String> {
    let answers = |name: &&&str| {
        let mut asked = Command::new(name);
        asked.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
        asked.status().is_ok_and(|status| status.success())
    };
    let Some(browser) = BROWSERS.iter().find(answers) else {
        eprintln!("skipped: none of {} is installed", BROWSERS.join(", "));
        return None;
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page.html");
    fs::write(&file, page).unwrap();
    let profile = format!("--user-data-dir={}", folder.path().join("profile").display());
    let quiet = ["--disable-quic", "--disable-background-networking", "--disable-component-update"];
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"])
        .args(quiet)
        .args([&profile, "--window-size=1280,900", "--virtual-time-budget=5000", "--dump-dom"])
        .arg(format!("file://{}#{address}", file.display()))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

/// What the body says of itself under `name`.
fn said(document: &str, name: &str) -> String {
    let body = document.split("<body ").nth(1).expect("scripts ran and set it");
    let tag = body.split('>').next().unwrap();
    let value = tag.split(&format!("data-{name}=\"")).nth(1);
    value.unwrap_or_else(|| panic!("no {name} in {tag}")).split('"').next().unwrap().to_owned()
}

/// The words of the panel beside the picture, without their tags.
fn details(document: &str) -> String {
    let panel = document.split("id=\"said\"").nth(1).unwrap();
    let panel = panel.split_once('>').unwrap().1.split("</aside>").next().unwrap();
    panel.split('<').filter_map(|part| part.split_once('>').map(|(_, text)| text)).collect()
}

#[test]
fn the_page_draws_all_of_a_run() {
    let Some(document) = document(&page(&small(), None), "") else { return };
    assert_eq!(said(&document, "nodes"), "3");
    assert_eq!(said(&document, "messages"), "3");
    assert_eq!(said(&document, "visible"), "3");
    assert_eq!(said(&document, "violations"), "1");
    assert!(said(&document, "ready-ms").parse::<f64>().is_ok());
    assert!(details(&document).contains("S6 at 0.009000s"), "what broke is told at once");
}

#[test]
fn a_selected_message_is_told_in_words_with_its_past_and_its_future() {
    let Some(document) = document(&page(&small(), None), "message=2") else { return };
    assert_eq!(said(&document, "selected"), "message 2");
    // Before it: the release was published, the first message sent and lost, another sent, held.
    assert_eq!((said(&document, "past"), said(&document, "future")), ("4".into(), "1".into()));
    let details = details(&document);
    assert!(details.contains("n1 → n2: app messages"), "{details}");
    assert!(details.contains("1 messages from number 7"), "{details}");
    assert!(details.contains("0.008000 s, after 3.00 ms"), "{details}");
    assert!(details.contains("code of 2.0.0"), "{details}");
}

#[test]
fn the_violation_is_one_key_away_and_its_past_is_counted() {
    let Some(document) = document(&page(&small(), None), "jump=violation") else { return };
    assert_eq!(said(&document, "selected"), "mark 3");
    assert!(details(&document).contains("Violation"));
    assert_eq!(said(&document, "future"), "0");
}

#[test]
fn a_search_counts_what_it_finds() {
    let Some(document) = document(&page(&small(), None), "find=lost") else { return };
    assert_eq!(said(&document, "matches"), "1");
}

#[test]
fn two_runs_stand_side_by_side_and_the_first_difference_is_told() {
    let mut other = small();
    other.seed = 8;
    other.marks[1].text = "something else".to_owned();
    let Some(document) = document(&page(&small(), Some(&other)), "pane=1&mark=1") else { return };
    assert_eq!(said(&document, "nodes"), "3 3");
    assert!(document.contains("They differ first here."));
    assert!(details(&document).contains("something else"));
}

#[test]
fn no_text_of_a_run_becomes_a_script() {
    let mut run = small();
    let evil = "</script><script>document.body.dataset.broken=1</script><img src=x \
                onerror=\"document.body.dataset.broken=1\">";
    run.scenario = evil.to_owned();
    run.verdict = evil.to_owned();
    run.lanes[0].name = evil.to_owned();
    run.lanes[0].stretches[0].text = evil.to_owned();
    for mark in &mut run.marks {
        mark.text = evil.to_owned();
    }
    for message in &mut run.messages {
        message.text = evil.to_owned();
        message.kind = evil.to_owned();
        message.release = evil.to_owned();
    }
    let Some(document) = document(&page(&run, Some(&run)), "mark=3&open=filter") else { return };
    assert_eq!(said(&document, "selected"), "mark 3");
    let body = document.split("<body ").nth(1).unwrap().split('>').next().unwrap();
    assert!(!body.contains("data-broken"), "{body}");
}

#[test]
fn twenty_thousand_messages_are_drawn_one_by_one() {
    let lanes = (0..7).map(|lane| Lane { name: format!("n{lane}"), ..Lane::default() }).collect();
    let message = |number: u64| Message {
        from: (number % 7) as u32,
        to: (number * 3 % 7) as u32,
        sent_nanos: number * 1_000_000,
        sent_order: number * 2,
        arrived_nanos: Some(number * 1_000_000 + 500_000),
        arrived_order: Some(number * 2 + 1),
        fate: if number.is_multiple_of(50) { Fate::Held } else { Fate::Delivered },
        kind: "app".to_owned(),
        ..Message::default()
    };
    let messages = (0..20_000).map(message).collect();
    let run = Diagram { lanes, messages, ended_nanos: 20_000_000_000, ..Diagram::default() };
    run.check().unwrap();
    let Some(document) = document(&page(&run, None), "message=10000") else { return };
    assert_eq!(said(&document, "visible"), "20000");
    assert_eq!(said(&document, "dense"), "false");
    eprintln!(
        "ready after {} ms, drawn in {} ms",
        said(&document, "ready-ms"),
        said(&document, "draw-ms")
    );
}
