//! In steady state the kernel allocates nothing, however many messages it delivers.
//!
//! One test and so one thread: the allocator counts for the whole process.

use common::{
    Arguments,
    counting::{Counting, allocations},
};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Deliveries until every link was crossed and every buffer has its size.
const WARM_UP: u64 = 200_000;
/// Deliveries that are counted.
const COUNTED: u64 = 500_000;
/// Allocations that all of them together may make: a buffer that meets a new maximum doubles, and the
/// longer a run, the rarer that is. One message in ten thousand would already be fifty.
const ALLOCATIONS_MAX: u64 = 20;

#[test]
fn a_delivered_message_allocates_nothing() {
    // The check can fail: what is counted is counted.
    let before = allocations();
    drop(std::hint::black_box(vec![1_u8]));
    assert_eq!(allocations() - before, 1);
    for (nodes, gap_micros) in [(5, 1_000), (50, 1_000), (50, 100_000)] {
        for mode in kernel::MODES {
            let peers = usize::MAX;
            let mode = String::from(*mode);
            let arguments = Arguments { nodes, target: 0, gap_micros, peers, seed: 1, mode };
            let mode = &arguments.mode;
            let mut world = kernel::world(&arguments, mode);
            kernel::run(&mut world, &arguments, WARM_UP);
            let before = allocations();
            kernel::run(&mut world, &arguments, WARM_UP + COUNTED);
            let counted = allocations() - before;
            assert!(
                counted <= ALLOCATIONS_MAX,
                "{counted} allocations for {COUNTED} messages of {nodes} nodes, {mode}"
            );
        }
    }
}
