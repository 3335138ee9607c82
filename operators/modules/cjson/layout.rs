//! In which order keys go into a table of its final size, so that it ends as one that grew a key at a time.
//!
//! Scripts see that layout: `pairs` walks it. Lua 5.1 doubles a table when a key finds no free node, and then puts
//! the old nodes into the new table from the last to the first. Only what happened since the last time it grew is
//! still visible. So the growth before is played through here, on the hashes alone, and costs no allocation.

/// The most entries that are played through.
pub const MOST: usize = 32;

const FREE: u8 = u8::MAX;
const END: u8 = u8::MAX;

/// The hash that Lua 5.1 gives a string.
pub fn hash(text: &[u8]) -> u32 {
    let mut hash = text.len() as u32;
    let mix = |hash: u32, byte: u8| hash ^ (hash << 5).wrapping_add(hash >> 2).wrapping_add(u32::from(byte));
    if text.len() < 32 {
        for byte in text.iter().rev() {
            hash = mix(hash, *byte);
        }
    } else {
        // Of long strings not every byte counts.
        let step = (text.len() >> 5) + 1;
        let mut left = text.len();
        while left >= step {
            hash = mix(hash, text[left - 1]);
            left -= step;
        }
    }
    hash
}

/// The entries of an object in the order of the text. There are at most [`MOST`].
pub struct Entries<'a, Same> {
    /// The hash of each key.
    pub hashes: &'a [u32],
    /// A bit for each entry whose value is nil: it takes a node, but not beyond the next growth.
    pub nils: u32,
    /// Whether the keys of two entries are the same.
    pub same: Same,
}

/// How to make the table: its size, and the entries to set, in this order: the first `kept` of `order`, then all
/// from `rest` on.
pub struct Plan {
    pub size: usize,
    pub order: [u8; MOST],
    pub kept: usize,
    pub rest: usize,
}

/// The table that is played through.
struct Nodes {
    size: usize,
    /// Below here nodes may be free; above none is.
    free: usize,
    entry: [u8; MOST],
    next: [u8; MOST],
}

impl<Same: Fn(usize, usize) -> bool> Entries<'_, Same> {
    /// The plan for these entries.
    pub fn plan(&self) -> Plan {
        let mut plan = Plan { size: 0, order: [0; MOST], kept: 0, rest: 0 };
        let mut nodes = Nodes::new(0);
        let mut first = 0;
        if self.hashes.len() >= 2 && self.nils & 0b11 == 0 && !self.is_same(0, 1) {
            // Two keys always come to this.
            plan.kept = 1;
            plan.rest = 1;
            plan.size = 2;
            nodes = Nodes::new(2);
            self.add(&mut nodes, 0);
            self.add(&mut nodes, 1);
            first = 2;
        }
        for entry in first..self.hashes.len() {
            if self.replace(&mut nodes, entry) || self.add(&mut nodes, entry) {
                continue;
            }
            plan.kept = 0;
            for node in (0..nodes.size).rev() {
                let entry = nodes.entry[node];
                if entry != FREE && !self.is_nil(entry) {
                    plan.order[plan.kept] = entry;
                    plan.kept += 1;
                }
            }
            plan.rest = entry;
            plan.size = (plan.kept + 1).next_power_of_two();
            nodes = Nodes::new(plan.size);
            for kept in &plan.order[..plan.kept] {
                self.add(&mut nodes, usize::from(*kept));
            }
            self.add(&mut nodes, entry);
        }
        plan
    }

    fn is_nil(&self, entry: u8) -> bool {
        self.nils >> entry & 1 != 0
    }

    fn is_same(&self, one: usize, other: usize) -> bool {
        self.hashes[one] == self.hashes[other] && (self.same)(one, other)
    }

    fn main(&self, nodes: &Nodes, entry: usize) -> usize {
        self.hashes[entry] as usize & (nodes.size - 1)
    }

    /// Gives the key's node the entry, when the key has one.
    fn replace(&self, nodes: &mut Nodes, entry: usize) -> bool {
        if nodes.size == 0 {
            return false;
        }
        let mut at = self.main(nodes, entry);
        loop {
            let there = nodes.entry[at];
            if there != FREE && self.is_same(usize::from(there), entry) {
                nodes.entry[at] = entry as u8;
                return true;
            }
            match nodes.next[at] {
                END => return false,
                next => at = usize::from(next),
            }
        }
    }

    /// Gives a new key a node; false when the table must grow first.
    fn add(&self, nodes: &mut Nodes, entry: usize) -> bool {
        if nodes.size == 0 {
            return false;
        }
        let main = self.main(nodes, entry);
        let there = nodes.entry[main];
        if there == FREE || self.is_nil(there) {
            nodes.entry[main] = entry as u8;
            return true;
        }
        let Some(free) = nodes.take_free() else { return false };
        let mut other = self.main(nodes, usize::from(there));
        if other == main {
            nodes.entry[free] = entry as u8;
            nodes.next[free] = nodes.next[main];
            nodes.next[main] = free as u8;
        } else {
            // What is there is not in its own place, and makes room.
            while usize::from(nodes.next[other]) != main {
                other = usize::from(nodes.next[other]);
            }
            nodes.next[other] = free as u8;
            nodes.entry[free] = there;
            nodes.next[free] = nodes.next[main];
            nodes.entry[main] = entry as u8;
            nodes.next[main] = END;
        }
        true
    }
}

impl Nodes {
    fn new(size: usize) -> Nodes {
        Nodes { size, free: size, entry: [FREE; MOST], next: [END; MOST] }
    }

    fn take_free(&mut self) -> Option<usize> {
        while self.free > 0 {
            self.free -= 1;
            if self.entry[self.free] == FREE {
                return Some(self.free);
            }
        }
        None
    }
}
