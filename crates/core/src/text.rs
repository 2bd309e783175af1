//! Text made of parts. In a browser the standard formatting would weigh more than everything that it prints here.

use alloc::string::String;

/// The parts, one after the other.
#[must_use]
pub fn join(parts: &[&str]) -> String {
    let mut text = String::new();
    parts.iter().for_each(|part| text.push_str(part));
    text
}

/// A number in decimal digits.
#[must_use]
pub fn decimal(number: u64) -> String {
    let mut text = if number > 9 { decimal(number / 10) } else { String::new() };
    text.push(char::from(b'0' + (number % 10) as u8));
    text
}

/// A number of at most 15 decimal digits.
#[must_use]
pub fn whole(text: &str) -> Option<u64> {
    let mut number = 0;
    for byte in text.bytes().take(15) {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number * 10 + u64::from(digit);
    }
    (1..=15).contains(&text.len()).then_some(number)
}

/// The text before and after the first of an ASCII character.
#[must_use]
pub fn split(text: &str, at: u8) -> Option<(&str, &str)> {
    let i = text.bytes().position(|byte| byte == at)?;
    Some((text.get(..i)?, text.get(i + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn numbers_are_written_as_the_standard_library_writes_them() {
        for number in [0, 9, 10, 11, 99, 100, 1_234_567_890, u64::MAX] {
            assert_eq!(decimal(number), number.to_string());
        }
    }

    #[test]
    fn a_number_is_read_as_it_is_written_and_nothing_else_is_one() {
        for number in [0, 9, 10, 1_234_567_890, 999_999_999_999_999] {
            assert_eq!(whole(&decimal(number)), Some(number));
        }
        for text in ["", "-1", "+1", "1.0", "1e3", " 1", "１", "1234567890123456"] {
            assert_eq!(whole(text), None, "{text}");
        }
    }

    #[test]
    fn text_is_split_at_the_first_of_a_character_only() {
        assert_eq!(split("é_1_2", b'_'), Some(("é", "1_2")));
        assert_eq!(split("12", b'_'), None);
        assert_eq!(join(&["a", "", "é"]), "aé");
    }
}
