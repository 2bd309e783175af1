//! Lists, where the standard library's ways would make much code of each: `collect` and `retain` are compiled anew for
//! every use, with all that makes them fast for long lists, and a `VecDeque` has two of everything.

use alloc::vec::Vec;

/// A list of what comes.
pub fn gather<T>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut list = Vec::new();
    for item in items {
        list.push(item);
    }
    list
}

/// The first of which `is_it` says so, taken out of the list.
pub fn take<T>(list: &mut Vec<T>, is_it: impl FnMut(&T) -> bool) -> Option<T> {
    let i = list.iter().position(is_it)?;
    Some(list.remove(i))
}

/// First in, first out.
#[derive(Debug, Clone)]
pub struct Queue<T> {
    coming: Vec<T>,
    /// The first ones, in reverse.
    going: Vec<T>,
}

impl<T> Queue<T> {
    /// An empty one.
    #[must_use]
    pub const fn new() -> Self {
        Self { coming: Vec::new(), going: Vec::new() }
    }

    /// Adds the last one.
    pub fn push(&mut self, item: T) {
        self.coming.push(item);
    }

    /// Takes the first one.
    pub fn pop(&mut self) -> Option<T> {
        if self.going.is_empty() {
            while let Some(last) = self.coming.pop() {
                self.going.push(last);
            }
        }
        self.going.pop()
    }

    /// Whether nothing is left.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.coming.is_empty() && self.going.is_empty()
    }

    /// All of them, in any order.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.coming.iter_mut().chain(&mut self.going)
    }
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pushed_first_goes_first_whatever_was_taken_between() {
        let mut queue = Queue::new();
        queue.push(1);
        queue.push(2);
        assert_eq!(queue.pop(), Some(1));
        queue.push(3);
        assert_eq!(gather(queue.iter_mut().map(|n| *n)).len(), 2);
        assert_eq!([queue.pop(), queue.pop(), queue.pop()], [Some(2), Some(3), None]);
        assert!(queue.is_empty());
    }

    #[test]
    fn only_the_first_is_taken_and_the_others_stay_in_order() {
        let mut list = gather([1, 2, 3, 2]);
        assert_eq!(take(&mut list, |n| *n == 2), Some(2));
        assert_eq!(list, [1, 3, 2]);
        assert_eq!(take(&mut list, |n| *n == 4), None);
    }
}
