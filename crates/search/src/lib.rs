//! Names, addresses and parcel keys to places, without regard to diacritics.
