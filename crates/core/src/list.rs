//! Lists, where the standard library's ways would make much code of each: `collect` and `retain` are compiled anew for
//! every use, with all that makes them fast for long lists.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_is_taken_and_the_others_stay_in_order() {
        let mut list = gather([1, 2, 3, 2]);
        assert_eq!(take(&mut list, |n| *n == 2), Some(2));
        assert_eq!(list, [1, 3, 2]);
        assert_eq!(take(&mut list, |n| *n == 4), None);
    }
}
