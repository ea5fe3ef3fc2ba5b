//! What a node sends to itself: bounded, and no kind of it starves another.

use std::sync::Arc;

use app::{
    Body, Context, Fault, Incoming, Instance, Manifest, Meter, Outgoing, Program, Runtime, Step,
    native::Registry,
};
use contract::{NodeId, Span};
use replica::{Notice, notice::Dropped};

use crate::fleet::{Fleet, counter};

/// Message types of the counter: an exactly-once one and an at-most-once one.
const ADD: u32 = 2;
const DIGEST: u32 = 4;

/// Code that answers each digest of its own with two, and each operation with a digest and an add,
/// all to itself.
struct Echo(Arc<dyn Program>);

struct Echoing(Box<dyn Instance>);

struct Echoes(Registry);

impl Runtime for Echoes {
    fn load(&self, code: &[u8]) -> Result<Arc<dyn Program>, Fault> {
        Ok(Arc::new(Echo(self.0.load(code)?)))
    }
}

impl Program for Echo {
    fn manifest(&self) -> &Manifest {
        self.0.manifest()
    }

    fn init(&self, node: NodeId) -> Box<dyn Instance> {
        Box::new(Echoing(self.0.init(node)))
    }

    fn load(&self, node: NodeId, state: &[u8]) -> Result<Box<dyn Instance>, Fault> {
        Ok(Box::new(Echoing(self.0.load(node, state)?)))
    }

    fn migrate(&self, edge: usize, state: &[u8], meter: &mut Meter) -> Result<Vec<u8>, Fault> {
        self.0.migrate(edge, state, meter)
    }

    fn convert(&self, edge: usize, body: &Body) -> Result<Body, Fault> {
        self.0.convert(edge, body)
    }

    fn measure(&self, state: &[u8]) -> Result<Vec<i128>, Fault> {
        self.0.measure(state)
    }

    fn operation(&self, kind: &str, entropy: [u32; 4]) -> Option<Body> {
        self.0.operation(kind, entropy)
    }
}

impl Instance for Echoing {
    fn handle(
        &mut self,
        context: Context<'_>,
        incoming: &Incoming,
        out: &mut Vec<Outgoing>,
    ) -> Result<Step, Fault> {
        let (Incoming::Message { body, .. } | Incoming::Operation { body, .. }) = incoming else {
            return Ok(Step::Unchanged);
        };
        let tags: &[u32] = match incoming {
            Incoming::Operation { .. } => &[ADD, DIGEST],
            _ if body.tag == DIGEST => &[DIGEST, DIGEST],
            _ => &[],
        };
        let (to, bytes) = (context.node, &body.bytes);
        let body = |tag: &u32| Body { tag: *tag, bytes: bytes.clone() };
        out.extend(tags.iter().map(|tag| Outgoing::Send { to, body: body(tag) }));
        Ok(Step::Changed)
    }

    fn export(&self) -> Vec<u8> {
        self.0.export()
    }
}

#[test]
fn at_most_once_messages_to_oneself_are_bounded_and_starve_no_exactly_once_one() {
    let recipe = counter("1.4.0");
    let mut fleet = Fleet::new(1, Some(&recipe), 9);
    fleet.adjust(|settings| settings.runtime = Arc::new(Echoes(Registry::standard())));
    fleet.run(Span::from_millis(10));
    for _ in 0..20 {
        fleet.operate(1, &recipe, "add", 1);
        fleet.run(Span::from_millis(10));
    }
    let certain = |notice: &Notice| matches!(notice, Notice::Delivered { exactly_once: true, .. });
    assert_eq!(fleet.count(certain), 20);
    let sent = fleet.count(|notice| matches!(notice, Notice::Sent { exactly_once: false, .. }));
    let taken =
        fleet.count(|notice| matches!(notice, Notice::Delivered { exactly_once: false, .. }));
    let lost =
        fleet.count(|notice| matches!(notice, Notice::Dropped { why: Dropped::Crowded, .. }));
    assert!(lost > 0 && sent - taken - lost <= 1024, "{sent} sent, {taken} taken, {lost} lost");
}
