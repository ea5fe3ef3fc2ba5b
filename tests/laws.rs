//! Checkers of replicated types against numbers that are known, and against what is wrong on purpose.

use crdt::{
    Clock, Dot, Op, Product, Semidirect, Value,
    catalogue::{self, Draw, Engine, Listed, Visit, VisitProduct},
    product::Aggregate,
    types::Register,
};
use harness::replicated::{
    history::{History, Proposal, Step},
    laws::{
        Stability, Tried,
        meanings::{Edges, Explained, SPLITS, Split, edges, explained, is_explained},
        of_collection,
    },
    to_the_end,
};

struct Collects(Stability);

impl Visit for Collects {
    type Out = Tried;

    fn visit<T: Listed>(self, kind: T) -> Tried {
        let propose = |value: &Value, draw: &mut Draw| kind.proposal(value, draw);
        of_collection(&kind, &propose, (3, 9), (40, 1), self.0, &mut to_the_end)
    }
}

#[test]
fn who_forgets_what_is_stable_shows_what_a_shadow_shows_that_never_forgets() {
    for (name, _) in catalogue::LIST.iter().chain(catalogue::JOINS) {
        let tried = catalogue::visit(name, &Value::Null, Collects(Stability::OfAll)).unwrap();
        assert_eq!(tried.broken, None, "{name}");
        assert!(tried.counts["stable"].1 > 1_000 && tried.counts["collection"].1 > 1_000, "{name}");
    }
}

#[test]
fn what_is_forgotten_before_all_have_seen_it_is_missed() {
    for name in [
        "int_add_mult",
        "semiring_minplus",
        "int_min_max_add_mult",
        "remove_wins_set",
        "int_register_resets",
    ] {
        let tried = catalogue::visit(name, &Value::Null, Collects(Stability::OfSomebody)).unwrap();
        let broken = tried.broken.expect(name);
        assert_eq!(broken.law.name, "collection", "{name}");
        assert!(broken.run.len() <= 5, "{name}: {broken:?}");
    }
}

/// What is counted of the meaning of a type.
struct Counted<'a>(&'a Split);

impl Counted<'_> {
    fn count<T: Op>(self, kind: &T, propose: Proposal<'_>) -> (Edges, Edges, Explained) {
        let acts = |operation: &Value| matches!(operation.get("kind"), Some(Value::Text(kind)) if self.0.greater.contains(&kind.as_str()));
        (
            edges(kind, propose, (3, 6), (300, 1), |operation| !acts(operation)),
            edges(kind, propose, (3, 6), (300, 1), acts),
            explained(kind, propose, (3, 6), (300, 1)),
        )
    }
}

impl Visit for Counted<'_> {
    type Out = (Edges, Edges, Explained);

    fn visit<T: Listed>(self, kind: T) -> Self::Out {
        self.count(&kind, &|value, draw| kind.proposal(value, draw))
    }
}

impl VisitProduct for Counted<'_> {
    type Out = (Edges, Edges, Explained);

    fn scan<T: Semidirect + Clone>(self, kind: T, propose: Proposal<'_>) -> Self::Out {
        self.count(&Product(kind), propose)
    }
}

/// The criterion holds where it is known to hold, fails the other way round, and fails where it is known to
/// fail: 132 of 896 edges for the pure set, 38 of 658 where for-eaches are mixed, by an independent program
/// with histories of its own. Flags and add-wins sets are explained by a sequence, always; additions and
/// multiplications mostly (286 of 300 there).
#[test]
fn meanings_decompose_and_are_explained_as_is_known() {
    for split in SPLITS {
        let (there, back, explained) = match catalogue::engine(split.kind) {
            Some(Engine::Frame) => {
                catalogue::visit_product(split.kind, &Value::Null, Counted(split)).unwrap()
            }
            _ => catalogue::visit(split.kind, &Value::Null, Counted(split)).unwrap(),
        };
        let said = format!("{}: {there:?}, the other way {back:?}, {explained:?}", split.kind);
        assert!(there.tried > 100, "{said}");
        assert_eq!(there.changed == 0, split.holds, "{said}");
        assert!(!split.holds || back.changed > 0, "{said}");
        assert!(explained.tried == 300 && explained.not < 60, "{said}");
        let always = ["enable_wins_flag", "disable_wins_flag", "add_wins_set"];
        assert!(!always.contains(&split.kind) || explained.not == 0, "{said}");
        let sometimes = ["int_add_mult", "int_min_max_add_mult", "shapes"];
        assert!(!sometimes.contains(&split.kind) || explained.not > 0, "{said}");
    }
}

/// Additions go before concurrent multiplications in a circle: 17, which is no sequence's result.
#[test]
fn what_is_right_may_be_explained_by_no_sequence() {
    let operation =
        |kind: &str, arg: i64| Value::map([("kind", Value::from(kind)), ("arg", Value::from(arg))]);
    let step = |origin: u32, seq, kind, arg| {
        let past: Clock = (seq > 1).then(|| Dot::new(origin, seq - 1)).into_iter().collect();
        Step { dot: Dot::new(origin, seq), past, operation: operation(kind, arg) }
    };
    let circle = History(vec![
        step(0, 1, "mult", 2),
        step(0, 2, "add", 1),
        step(1, 1, "mult", 3),
        step(1, 2, "add", 4),
    ]);
    let kind = Aggregate(Register { start: 1 });
    let meaning = harness::replicated::history::meaning(&kind, &circle);
    assert_eq!(meaning, Some(Value::from(17)));
    assert_eq!(is_explained(&kind, &circle), Some(false));
    assert_eq!(is_explained(&kind, &History(circle.0[..3].to_vec())), Some(true));
}
