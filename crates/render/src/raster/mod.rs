//! The renderer: draws a style from a snapshot of the city.
