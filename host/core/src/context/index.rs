//! The positions of the entries of a context by the hashes of their keys.

/// Cells of an index that is stored in place.
const FEW: usize = 64;

/// Maximum number of entries of an index that is stored in place: three quarters of its cells.
const MAX_FEW: usize = FEW / 4 * 3;

/// Maps hashes to positions plus one, by linear probing. Zero is an empty cell.
pub(super) enum Index {
    Few([u8; FEW]),
    /// At least twice as many cells as entries: a power of two.
    Many(Box<[u32]>),
}

impl Default for Index {
    fn default() -> Self {
        Self::Few([0; FEW])
    }
}

impl Index {
    pub(super) fn with_capacity(entries: usize) -> Self {
        if entries <= MAX_FEW {
            return Self::default();
        }
        Self::Many(vec![0; (2 * entries).next_power_of_two()].into())
    }

    /// Returns the position in a cell, counted from the cell of the hash zero.
    #[inline(always)]
    pub(super) fn at(&self, cell: usize) -> Option<usize> {
        let known = match self {
            Self::Few(cells) => usize::from(cells[cell % FEW]),
            Self::Many(cells) => *cells.get(cell & cells.len().wrapping_sub(1))? as usize,
        };
        known.checked_sub(1)
    }

    /// Enters a position in place of the one for which `is` holds, and returns that.
    pub(super) fn insert(
        &mut self,
        hash: u32,
        place: usize,
        is: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let mut cell = hash as usize;
        loop {
            let replaced = self.at(cell);
            if replaced.is_none_or(&is) {
                match self {
                    Self::Few(cells) => cells[cell % FEW] = place as u8 + 1,
                    Self::Many(cells) => cells[cell & (cells.len() - 1)] = place as u32 + 1,
                }
                return replaced;
            }
            cell += 1;
        }
    }
}

// A position plus one fits into a byte.
const _: () = assert!(MAX_FEW < u8::MAX as usize);
