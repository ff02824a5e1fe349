//! A list whose copies share their elements.

use std::sync::Arc;

/// Elements of one chunk. A list of 6,000 has 94 chunks, so a copy and a push together touch at most
/// 158 pointers.
const CHUNK: usize = 64;

/// A list in chunks. A clone copies one pointer per chunk, and [`push`](Self::push) copies at most
/// one chunk of pointers, so many lists that differ in a few elements need little memory.
#[derive(Debug)]
pub(crate) struct Chunks<E> {
    chunks: Vec<Arc<Vec<E>>>,
    len: usize,
}

impl<E> Chunks<E> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[inline]
    pub(crate) fn get(&self, place: usize) -> Option<&E> {
        self.chunks.get(place / CHUNK)?.get(place % CHUNK)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &E> {
        self.chunks.iter().flat_map(|chunk| chunk.iter())
    }
}

impl<E: Clone> Chunks<E> {
    pub(crate) fn push(&mut self, element: E) {
        match self.chunks.last_mut() {
            Some(last) if last.len() < CHUNK => Arc::make_mut(last).push(element),
            _ => self.chunks.push(Arc::new(vec![element])),
        }
        self.len += 1;
    }

    /// Returns a copy without one element.
    pub(crate) fn without(&self, place: usize) -> Self {
        let others = self.iter().enumerate().filter(|(other, _)| *other != place);
        others.map(|(_, element)| element.clone()).collect()
    }
}

impl<E> Default for Chunks<E> {
    fn default() -> Self {
        Self {
            chunks: Vec::new(),
            len: 0,
        }
    }
}

impl<E> Clone for Chunks<E> {
    fn clone(&self) -> Self {
        Self {
            chunks: self.chunks.clone(),
            len: self.len,
        }
    }
}

impl<E: Clone> FromIterator<E> for Chunks<E> {
    fn from_iter<I: IntoIterator<Item = E>>(elements: I) -> Self {
        let mut chunks = Self::default();
        elements
            .into_iter()
            .for_each(|element| chunks.push(element));
        chunks
    }
}

/// Compares element by element, except for chunks that both lists share.
impl<E: PartialEq> PartialEq for Chunks<E> {
    fn eq(&self, other: &Self) -> bool {
        let mut pairs = self.chunks.iter().zip(&other.chunks);
        self.len == other.len && pairs.all(|(one, other)| Arc::ptr_eq(one, other) || one == other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_equals_a_vector_after_any_number_of_pushes() {
        let (mut chunks, mut expected) = (Chunks::default(), Vec::new());
        for number in 0..1_000 {
            let before = chunks.clone();
            chunks.push(number);
            expected.push(number);
            assert_eq!(before.len(), number);
            assert_eq!(
                (before.get(number), chunks.get(number)),
                (None, Some(&number))
            );
            assert!(before != chunks);
        }
        assert!(chunks.iter().eq(&expected));
        assert!(chunks == expected.iter().copied().collect());
        expected.remove(500);
        assert!(chunks.without(500).iter().eq(&expected));
    }

    #[test]
    fn copies_share_all_chunks_but_the_last() {
        let mut chunks: Chunks<usize> = (0..1_000).collect();
        let before = chunks.clone();
        chunks.push(1_000);
        let pairs = before.chunks.iter().zip(&chunks.chunks);
        let shared = pairs.filter(|(one, other)| Arc::ptr_eq(one, other));
        assert_eq!(shared.count(), before.chunks.len() - 1);
    }
}
