//! Typed queries: each parameter is declared once, and the declaration feeds reading, the list in error
//! messages, and the OpenAPI document.
//!
//! A route's query is a struct made by [`query!`]: one field per parameter, in the order in which messages
//! and OpenAPI list them. [`RequestContext::query`](crate::http::request::RequestContext::query) reads it and
//! refuses all other parameters.

use std::marker::PhantomData;

use axum::http::HeaderMap;
use serde_json::{Value, json};

use crate::{
    config::Limits,
    http::{params::Params, problem::Problem},
};

/// What reading a parameter may look at.
pub(crate) struct QueryReader<'a> {
    pub(crate) params: &'a mut Params,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) limits: &'a Limits,
}

/// How a parameter's value is written and what it means.
pub(crate) trait ParameterKind: Sync {
    type Value;

    /// Takes the parameter `name`.
    ///
    /// # Errors
    /// 400 if it is given twice or its value cannot be used.
    fn read(&self, name: &str, reader: &mut QueryReader<'_>) -> Result<Self::Value, Problem>;

    /// The JSON Schema of the value.
    fn schema(&self, limits: &Limits) -> Value;

    /// Further members of OpenAPI's parameter object.
    fn style(&self) -> Option<Value> {
        None
    }
}

/// The declaration of one query parameter.
pub(crate) struct Parameter<K> {
    pub(crate) name: &'static str,
    /// The name below `components/parameters` in the OpenAPI document; routes may share a name with different
    /// bounds.
    component: &'static str,
    doc: &'static str,
    required: bool,
    example: Option<&'static str>,
    kind: K,
}

impl<K> Parameter<K> {
    pub(crate) const fn new(name: &'static str, doc: &'static str, kind: K) -> Self {
        Self { name, component: name, doc, required: false, example: None, kind }
    }

    /// The same with another name in the OpenAPI document.
    pub(crate) const fn component(mut self, component: &'static str) -> Self {
        self.component = component;
        self
    }

    /// The same with an example in the OpenAPI document.
    pub(crate) const fn example(mut self, example: &'static str) -> Self {
        self.example = Some(example);
        self
    }

    /// The same, declared as required. Its kind refuses a query without it.
    pub(crate) const fn required(mut self) -> Self {
        self.required = true;
        self
    }
}

/// A declared parameter, whatever its kind.
pub(crate) trait Declared: Sync {
    fn name(&self) -> &'static str;
    fn component(&self) -> &'static str;
    /// OpenAPI's parameter object, with an example of the caller's if the declaration has none.
    fn object(&self, limits: &Limits, example: Option<&str>) -> Value;
}

impl<K: ParameterKind> Declared for Parameter<K> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn component(&self) -> &'static str {
        self.component
    }

    fn object(&self, limits: &Limits, example: Option<&str>) -> Value {
        let mut object = json!({
            "name": self.name, "in": "query", "required": self.required, "description": self.doc,
            "schema": self.kind.schema(limits),
        });
        if let (Value::Object(members), Some(Value::Object(more))) = (&mut object, self.kind.style()) {
            members.extend(more);
        }
        if let Some(example) = self.example.or(example) {
            object["example"] = example.into();
        }
        object
    }
}

/// Where a field of a query comes from: one parameter, or several that belong together.
pub(crate) trait QuerySource {
    type Value;

    /// Takes the parameters.
    ///
    /// # Errors
    /// 400 if one of them cannot be used.
    fn take(&self, reader: &mut QueryReader<'_>) -> Result<Self::Value, Problem>;

    /// Adds the declarations to a list.
    fn declare(&'static self, list: &mut Vec<&'static dyn Declared>);
}

impl<K: ParameterKind + 'static> QuerySource for Parameter<K> {
    type Value = K::Value;

    fn take(&self, reader: &mut QueryReader<'_>) -> Result<Self::Value, Problem> {
        self.kind.read(self.name, reader)
    }

    fn declare(&'static self, list: &mut Vec<&'static dyn Declared>) {
        list.push(self);
    }
}

/// A query as one value.
pub(crate) trait Query: Sized {
    /// The declarations, in the order of the fields.
    fn declared() -> Vec<&'static dyn Declared>;

    /// Takes all parameters.
    ///
    /// # Errors
    /// 400 for the first one that cannot be used.
    fn read(reader: &mut QueryReader<'_>) -> Result<Self, Problem>;

    /// Checks that nothing else was given.
    ///
    /// # Errors
    /// 400 for the first parameter that is not declared.
    fn finish(params: &Params) -> Result<(), Problem> {
        if params.pairs().next().is_none() {
            return Ok(());
        }
        let names: Vec<&str> = Self::declared().iter().map(|parameter| parameter.name()).collect();
        params.finish(&names)
    }
}

/// A query as part of another one.
pub(crate) struct Nested<Q>(pub(crate) PhantomData<fn() -> Q>);

impl<Q: Query + 'static> QuerySource for Nested<Q> {
    type Value = Q;

    fn take(&self, reader: &mut QueryReader<'_>) -> Result<Q, Problem> {
        Q::read(reader)
    }

    fn declare(&'static self, list: &mut Vec<&'static dyn Declared>) {
        list.extend(Q::declared());
    }
}

/// Defines the query of a route: `field: Type = SOURCE`, where the source is a static [`Parameter`] or a
/// group of them.
macro_rules! query {
    ($(#[$doc:meta])* $vis:vis struct $name:ident {
        $($(#[$field_doc:meta])* $field:ident: $type:ty = $source:expr,)*
    }) => {
        $(#[$doc])*
        $vis struct $name {
            $($(#[$field_doc])* pub(crate) $field: $type,)*
        }

        impl $crate::http::query::Query for $name {
            fn declared() -> Vec<&'static dyn $crate::http::query::Declared> {
                let mut list = Vec::new();
                $($crate::http::query::QuerySource::declare(&$source, &mut list);)*
                list
            }

            fn read(
                reader: &mut $crate::http::query::QueryReader<'_>,
            ) -> Result<Self, $crate::http::problem::Problem> {
                Ok(Self {
                    $($field: $crate::http::query::QuerySource::take(&$source, reader)?,)*
                })
            }
        }
    };
}

pub(crate) use query;
