//! An allocator that counts: how often, and how much is held.
//!
//! ```
//! use common::counting::{Counting, allocations};
//!
//! #[global_allocator]
//! static ALLOCATOR: Counting = Counting;
//!
//! let before = allocations();
//! let held = Box::new(1);
//! assert_eq!(allocations() - before, 1);
//! drop(held);
//! ```

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static TAKEN_BYTES: AtomicU64 = AtomicU64::new(0);
static GIVEN_BYTES: AtomicU64 = AtomicU64::new(0);

/// The system's allocator, counted. To be set as `#[global_allocator]`.
#[derive(Debug)]
pub struct Counting;

/// Allocations and reallocations so far, of all threads.
pub fn allocations() -> u64 {
    ALLOCATIONS.load(Relaxed)
}

/// Bytes that are allocated now.
pub fn held_bytes() -> u64 {
    TAKEN_BYTES.load(Relaxed) - GIVEN_BYTES.load(Relaxed)
}

fn taken(bytes: usize) {
    ALLOCATIONS.fetch_add(1, Relaxed);
    TAKEN_BYTES.fetch_add(bytes as u64, Relaxed);
}

fn given(bytes: usize) {
    GIVEN_BYTES.fetch_add(bytes as u64, Relaxed);
}

// SAFETY: every call goes to the system's allocator as it came; counting touches no memory of theirs.
#[expect(unsafe_code, reason = "an allocator is an unsafe trait")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        taken(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        taken(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        given(layout.size());
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        taken(bytes);
        given(layout.size());
        unsafe { System.realloc(at, layout, bytes) }
    }
}
