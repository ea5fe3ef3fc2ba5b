//! The page in a real browser, where there is one: what it says of itself once its scripts have run.

use results::{Diagram, Fate, Lane, Mark, Message};

use super::{page, testing::small};
use crate::browser::{document, said};

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
    assert_eq!((said(&document, "past"), said(&document, "future")), ("4", "1"));
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
fn two_runs_open_where_they_first_differ() {
    const SECOND: u64 = 1_000_000_000;
    let lane = Lane { name: "n0".to_owned(), ..Lane::default() };
    let mark = |order: u64, seconds: u64, kind: &str, text: &str| Mark {
        at_nanos: seconds * SECOND,
        order,
        lane: Some(0),
        kind: kind.to_owned(),
        text: text.to_owned(),
    };
    // They part at 2 and 4 seconds; one of them breaks at 58.
    let run = |parts, text| Diagram {
        lanes: vec![lane.clone()],
        marks: vec![
            mark(0, 1, "merged", "a release"),
            mark(1, parts, "committed", text),
            mark(2, 58, "violation", "S6"),
        ],
        violations: vec![2],
        ended_nanos: 60 * SECOND,
        ..Diagram::default()
    };
    let (one, other) = (run(2, "1.0.0"), run(4, "2.0.0"));
    let view = |page: &str| {
        let document = document(page, "")?;
        let (from, to) = said(&document, "view").split_once(' ').unwrap();
        let seconds = |nanos: &str| nanos.parse::<f64>().unwrap() / SECOND as f64;
        Some((seconds(from), seconds(to)))
    };
    let Some((from, to)) = view(&page(&one, Some(&other))) else { return };
    assert!(from < 2.0 && 4.0 < to && to < 30.0, "from {from} s to {to} s");
    let (from, to) = view(&page(&one, None)).unwrap();
    assert!(4.0 < from && 58.0 < to, "a run by itself opens where it breaks: {from} s to {to} s");
    let (from, to) = view(&page(&one, Some(&one))).unwrap();
    assert!(4.0 < from && 58.0 < to, "and so do two that do not differ: {from} s to {to} s");
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
