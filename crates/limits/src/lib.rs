//! Limits, each declared once beside the code that it bounds.
//!
//! A crate declares its limits with [`limits!`]: the field, its meaning, its default, its command line flag
//! and its unit. The macro makes a plain struct with `Default`, and the [`Limit`]s that describe its fields.
//! The command line builds the options of `citymap serve` from these descriptions, and a test compares
//! `docs/limits.md` with them, so that a limit cannot have two defaults or two meanings.
//!
//! ```
//! use citymap_limits::{LimitGroup, limits};
//!
//! limits! {
//!     /// How large a cake may be.
//!     pub struct CakeLimits under "Limits" {
//!         /// Maximum number of layers.
//!         pub layers_max: usize = 3, flag "cake-layers-max", unit Count;
//!     }
//! }
//!
//! let mut limits = CakeLimits::default();
//! assert_eq!(limits.layers_max, 3);
//! assert_eq!(limits.set("cake-layers-max", "5"), Some(Ok(())));
//! assert_eq!(limits.layers_max, 5);
//! assert_eq!(CakeLimits::describe()[0].meaning, "Maximum number of layers.");
//! ```

use std::time::Duration;

/// What a limit counts; also the placeholder of its value in the help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unit {
    /// A whole number from 0.
    Count,
    /// A whole number from 1 to 65 535.
    CountFromOne,
    /// A whole number of bytes.
    Bytes,
    /// A number of metres.
    Metres,
    /// A number of seconds from 0.001 to 10⁹.
    Seconds,
}

impl Unit {
    /// The placeholder of a value in the help, for instance `SECONDS`.
    pub fn placeholder(self) -> &'static str {
        match self {
            Self::Count | Self::CountFromOne => "N",
            Self::Bytes => "BYTES",
            Self::Metres => "METRES",
            Self::Seconds => "SECONDS",
        }
    }
}

/// The description of one limit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limit {
    /// The command line flag without its dashes.
    pub flag: &'static str,
    /// What the limit bounds, in a sentence.
    pub meaning: String,
    /// The heading of the help under which it is listed.
    pub heading: &'static str,
    /// What the value counts.
    pub unit: Unit,
    /// The default as text; a sentence if it depends on the machine.
    pub default: String,
    /// True if the default depends on the machine.
    pub default_varies: bool,
}

impl Limit {
    /// A description from the parts of a declaration; called by [`limits!`].
    #[doc(hidden)]
    pub fn new(
        (flag, heading): (&'static str, &'static str),
        docs: &[&str],
        unit: Unit,
        default: String,
        varying: Option<&'static str>,
    ) -> Self {
        let lines: Vec<&str> = docs.iter().map(|line| line.trim()).collect();
        Self {
            flag,
            meaning: lines.join(" "),
            heading,
            unit,
            default: varying.map_or(default, str::to_owned),
            default_varies: varying.is_some(),
        }
    }
}

/// A struct of limits; implemented by [`limits!`].
pub trait LimitGroup: Default {
    /// The limits in the order of their declaration.
    fn describe() -> Vec<Limit>;

    /// Sets the limit with this flag from a text; `None` if no limit has the flag.
    ///
    /// # Errors
    /// What to write, if the text is not a value of the limit's unit.
    fn set(&mut self, flag: &str, text: &str) -> Option<Result<(), String>>;
}

/// The type of a limit.
pub trait LimitValue: Sized {
    /// Reads a value.
    ///
    /// # Errors
    /// What to write, if the text is not a value of this unit.
    fn read(text: &str, unit: Unit) -> Result<Self, String>;

    /// The value as [`LimitValue::read`] takes it.
    fn show(&self) -> String;
}

impl LimitValue for usize {
    fn read(text: &str, unit: Unit) -> Result<Self, String> {
        let value = text.parse().map_err(|_not_whole| "give a whole number".to_owned())?;
        if unit == Unit::CountFromOne && !(1..=65_535).contains(&value) {
            return Err("give a whole number from 1 to 65535".to_owned());
        }
        Ok(value)
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl LimitValue for u64 {
    fn read(text: &str, _unit: Unit) -> Result<Self, String> {
        text.parse().map_err(|_not_whole| "give a whole number".to_owned())
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl LimitValue for f64 {
    fn read(text: &str, _unit: Unit) -> Result<Self, String> {
        text.parse().map_err(|_not_a_number| "give a number".to_owned())
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl LimitValue for Duration {
    fn read(text: &str, _unit: Unit) -> Result<Self, String> {
        match text.parse::<f64>() {
            Ok(seconds) if (0.001..=1e9).contains(&seconds) => Ok(Self::from_secs_f64(seconds)),
            _ => Err("give a number of seconds from 0.001 on".to_owned()),
        }
    }

    fn show(&self) -> String {
        self.as_secs_f64().to_string()
    }
}

/// Declares a struct of limits.
///
/// Each field has a meaning (its doc comment), a default, a flag and a unit; `varies "…"` describes a default
/// that depends on the machine. Groups of other crates are fields after the word `groups`.
#[macro_export]
macro_rules! limits {
    (
        $(#[doc = $doc:literal])*
        $vis:vis struct $name:ident under $heading:literal {
            $(
                $(#[doc = $field_doc:literal])*
                pub $field:ident: $type:ty = $default:expr, flag $flag:literal, unit $unit:ident
                $(, varies $varies:literal)?;
            )*
            $(
                groups
                $(
                    $(#[doc = $group_doc:literal])*
                    pub $group:ident: $group_type:ty;
                )*
            )?
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug)]
        $vis struct $name {
            $($(#[doc = $field_doc])* pub $field: $type,)*
            $($($(#[doc = $group_doc])* pub $group: $group_type,)*)?
        }

        impl ::core::default::Default for $name {
            fn default() -> Self {
                Self {
                    $($field: $default,)*
                    $($($group: ::core::default::Default::default(),)*)?
                }
            }
        }

        impl $crate::LimitGroup for $name {
            fn describe() -> ::std::vec::Vec<$crate::Limit> {
                let defaults = Self::default();
                #[allow(unused_mut, reason = "without groups nothing is added")]
                let mut list = ::std::vec![$($crate::Limit::new(
                    ($flag, $heading),
                    &[$($field_doc),*],
                    $crate::Unit::$unit,
                    $crate::LimitValue::show(&defaults.$field),
                    None$(.or(Some($varies)))?,
                )),*];
                $($(list.extend(<$group_type as $crate::LimitGroup>::describe());)*)?
                list
            }

            fn set(
                &mut self,
                flag: &str,
                text: &str,
            ) -> ::core::option::Option<::core::result::Result<(), ::std::string::String>> {
                match flag {
                    $($flag => {
                        let read = $crate::LimitValue::read(text, $crate::Unit::$unit);
                        Some(read.map(|value| self.$field = value))
                    })*
                    _ => {
                        $($(
                            let set = $crate::LimitGroup::set(&mut self.$group, flag, text);
                            if set.is_some() {
                                return set;
                            }
                        )*)?
                        None
                    }
                }
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    limits! {
        /// Limits of an inner part.
        struct Inner under "Inner" {
            /// How long
            /// it may take.
            pub wait: Duration = Duration::from_millis(500), flag "wait", unit Seconds;
        }
    }

    limits! {
        /// Limits of the whole.
        struct Outer under "Outer" {
            /// Number of threads at once.
            pub threads: usize = 3, flag "threads", unit CountFromOne, varies "one per processor";
            groups
            /// Limits of the inner part.
            pub inner: Inner;
        }
    }

    #[test]
    fn a_group_describes_and_sets_its_limits_and_those_within() {
        let described = Outer::describe();
        let flags: Vec<&str> = described.iter().map(|limit| limit.flag).collect();
        assert_eq!(flags, ["threads", "wait"]);
        assert!(described[0].default_varies && described[0].default == "one per processor");
        assert_eq!((described[1].default.as_str(), described[1].heading), ("0.5", "Inner"));
        assert_eq!(described[1].meaning, "How long it may take.");
        let mut limits = Outer::default();
        assert_eq!(limits.set("wait", "2"), Some(Ok(())));
        assert_eq!(limits.inner.wait, Duration::from_secs(2));
        for (flag, text) in
            [("wait", "0"), ("wait", "x"), ("threads", "0"), ("threads", "65536"), ("threads", "-1")]
        {
            assert!(limits.set(flag, text).unwrap().is_err(), "{flag} {text}");
        }
        assert_eq!(limits.threads, 3);
        assert_eq!(limits.set("nothing", "1"), None);
    }
}
