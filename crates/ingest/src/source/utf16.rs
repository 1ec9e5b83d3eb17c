//! Text in UTF-16, which spreadsheet programs save as "Unicode text".

use citymap_model::counted;

/// The order of the bytes of UTF-16.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Little,
    Big,
}

/// Text that was UTF-16.
pub(crate) struct FromUtf16 {
    /// The text as UTF-8, without its mark.
    pub bytes: Vec<u8>,
    /// Signs that were none: halves of pairs, and a byte too many.
    lost: usize,
}

impl FromUtf16 {
    /// What there is to say of it.
    pub(crate) fn note(&self) -> String {
        let lost = match self.lost {
            0 => String::new(),
            lost => format!("; {} cut or damaged and became U+FFFD", counted(lost, "sign is", "signs are")),
        };
        format!("the text is UTF-16 and was read as that{lost}")
    }
}

/// Bytes that are looked at where no mark tells.
pub(crate) const LOOK: usize = 8_192;

/// The order in which a text is UTF-16: its mark tells, or, without one, that nearly every second byte is
/// zero, and always on the same side. `None` for every other text.
pub(crate) fn order(bytes: &[u8]) -> Option<Order> {
    if bytes.starts_with(&[0xFF, 0xFE]) && !bytes.starts_with(&[0xFF, 0xFE, 0, 0]) {
        return Some(Order::Little);
    }
    if bytes.starts_with(&[0xFE, 0xFF]) {
        return Some(Order::Big);
    }
    let head = &bytes[..bytes.len().min(LOOK) & !1];
    if head.len() < 8 || head.starts_with(&[0, 0]) {
        return None;
    }
    let zeros = |side: usize| head.iter().skip(side).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd, all) = (zeros(0), zeros(1), head.len() / 2);
    // ASCII is most of every table, and Vietnamese letters have high bytes of their own.
    let plain = |zeros: usize, others: usize| zeros * 10 > all * 6 && others == 0;
    // Every line end and letter of the text must make sense, which no binary format does.
    let order = if plain(odd, even) {
        Order::Little
    } else if plain(even, odd) {
        Order::Big
    } else {
        return None;
    };
    let text = units(head, order).all(|unit| unit >= 0x20 || matches!(unit, 9 | 10 | 13));
    text.then_some(order)
}

fn units(bytes: &[u8], order: Order) -> impl Iterator<Item = u16> + '_ {
    bytes.chunks_exact(2).map(move |pair| match order {
        Order::Little => u16::from_le_bytes([pair[0], pair[1]]),
        Order::Big => u16::from_be_bytes([pair[0], pair[1]]),
    })
}

/// The text as UTF-8, without its mark.
pub(crate) fn to_utf8(bytes: &[u8], order: Order) -> FromUtf16 {
    let mut lost = bytes.len() % 2;
    let mut text = String::with_capacity(bytes.len() / 2 + bytes.len() / 8);
    for (at, unit) in char::decode_utf16(units(bytes, order)).enumerate() {
        match unit {
            Ok('\u{FEFF}') if at == 0 => {}
            Ok(letter) => text.push(letter),
            Err(_half) => {
                lost += 1;
                text.push('\u{FFFD}');
            }
        }
    }
    FromUtf16 { bytes: text.into_bytes(), lost }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(text: &str, order: Order) -> Vec<u8> {
        let bytes = |unit: u16| match order {
            Order::Little => unit.to_le_bytes(),
            Order::Big => unit.to_be_bytes(),
        };
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn utf16_is_known_with_and_without_its_mark() {
        let text = "mã\tlon\tlat\r\nThửa 1\t106.7\t10.77\r\n";
        for order_of in [Order::Little, Order::Big] {
            for mark in ["", "\u{FEFF}"] {
                let bytes = encoded(&format!("{mark}{text}"), order_of);
                assert_eq!(order(&bytes), Some(order_of));
                assert_eq!(to_utf8(&bytes, order_of).bytes, text.as_bytes());
            }
        }
        let mut cut = encoded("abcdefgh", Order::Little);
        cut.push(0xD8);
        assert!(to_utf8(&cut, Order::Little).note().contains("1 sign "));
    }

    #[test]
    fn other_files_are_not_utf16() {
        for bytes in
            [&b"ma,lon,lat\n1,2,3\n"[..], "mã,lon\n".as_bytes(), &[0; 64], &[1, 0, 2, 0, 3, 0, 4, 0, 5, 0]]
        {
            assert_eq!(order(bytes), None, "{bytes:?}");
        }
        // A font's or a DBF's bytes.
        let binary: Vec<u8> = (0..=255).collect();
        assert_eq!(order(&binary), None);
    }
}
