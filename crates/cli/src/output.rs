//! What commands print. Everything for standard output goes through [`write_line`], by the macro [`say!`].
//!
//! A reader that closes standard output early, as `citymap log | head -1` does, is not an error: from then on
//! nothing is printed, and the command ends as it would have otherwise, with the same exit code. Any other
//! fault, a full disk for instance, fails the command.

use std::{
    fmt,
    io::{self, Write as _},
};

use citymap_model::{
    plural,
    text::{shown, shown_but},
};

use crate::failure::Failure;

/// What a line of output may hold of characters that steer a terminal: its own breaks.
const BREAKS: [char; 2] = ['\n', '\t'];

/// Prints a line, formatted as by `format!`, to standard output; gives `Result<(), Failure>`.
macro_rules! say {
    () => { $crate::output::write_line(format_args!("")) };
    ($($text:tt)+) => { $crate::output::write_line(format_args!($($text)+)) };
}
pub(crate) use say;

/// Writes a line to standard output. Characters that steer a terminal are escaped ([`shown_but`]).
///
/// # Errors
/// If it cannot be written for another reason than that nobody reads it any more.
pub(crate) fn write_line(text: fmt::Arguments<'_>) -> Result<(), Failure> {
    match writeln!(io::stdout().lock(), "{}", shown_but(&text.to_string(), &BREAKS)) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::because("the result cannot be printed", error))
        }
        _ => Ok(()),
    }
}

/// Writes a line to standard error. A fault there has nowhere to be reported, so it is ignored.
pub(crate) fn write_error(text: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr().lock(), "{}", shown_but(&text.to_string(), &BREAKS));
}

/// Prints a result for programs.
pub(crate) fn print_json(value: &serde_json::Value) -> Result<(), Failure> {
    // JSON has an escape of its own, and leaves some of the characters that steer a terminal as they are.
    let text = format!("{value:#}");
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        let mut buffer = [0; 4];
        let one: &str = letter.encode_utf8(&mut buffer);
        if letter == '\n' || shown(one) == one {
            safe.push(letter);
        } else {
            safe.extend(letter.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    say!("{safe}")
}

/// Groups digits by spaces, `1 234 567`, which Vietnamese and English readers both understand.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// A number with its digits grouped, and the noun that goes with it: `1 feature`, `1 234 features`.
pub(crate) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(number), plural(number, one, many))
}

/// Prints rows as aligned columns; the first row is the heading.
pub(crate) fn print_table(rows: &[Vec<String>]) -> Result<(), Failure> {
    let columns = rows.first().map_or(0, Vec::len);
    let widths: Vec<usize> = (0..columns)
        .map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0))
        .collect();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width - cell.chars().count() + 2));
        }
        say!("{}", line.trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1 000"), (1_234_567, "1 234 567")] {
            assert_eq!(thousands(number), text);
        }
    }
}
