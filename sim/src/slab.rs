//! Storage for what is pending: a slot number stands for a value until it is taken.

/// Values by slot; a slot that was taken is used again.
#[derive(Clone, Debug)]
pub(crate) struct Slab<T> {
    slots: Vec<Slot<T>>,
    free: u32,
}

#[derive(Clone, Debug)]
enum Slot<T> {
    Full(T),
    Free(u32),
}

/// No slot.
const NIL: u32 = u32::MAX;

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: NIL }
    }
}

impl<T> Slab<T> {
    /// Stores `value`.
    #[inline]
    pub(crate) fn put(&mut self, value: T) -> u32 {
        if self.free == NIL {
            self.slots.push(Slot::Full(value));
            return (self.slots.len() - 1) as u32;
        }
        let slot = self.free;
        let old = std::mem::replace(&mut self.slots[slot as usize], Slot::Full(value));
        let Slot::Free(next) = old else { unreachable!("the free list holds free slots") };
        self.free = next;
        slot
    }

    /// Takes what `slot` stands for.
    #[inline]
    pub(crate) fn take(&mut self, slot: u32) -> T {
        let old = std::mem::replace(&mut self.slots[slot as usize], Slot::Free(self.free));
        self.free = slot;
        match old {
            Slot::Full(value) => value,
            Slot::Free(_) => unreachable!("a slot is taken once"),
        }
    }

    /// What `slot` stands for.
    #[inline]
    pub(crate) fn get(&self, slot: u32) -> &T {
        match &self.slots[slot as usize] {
            Slot::Full(value) => value,
            Slot::Free(_) => unreachable!("a slot is not read after it was taken"),
        }
    }
}
