//! `fermyon:spin/variables@2.0.0` and `wasi:config/store`: the variables of a component.

use wasmtime::component::{HasData, Linker};

use crate::config::manifest::check_name;
use crate::config::variables::Variables;

mod bindings {
    #![allow(missing_docs, reason = "generated from the WIT files, which document it")]

    wasmtime::component::bindgen!({
        path: ["../wit/deps/fermyon-spin-2.0.0", "../wit/deps/wasi-config-0.2.0-draft-2024-09-27"],
        inline: "
            package runner:variables;
            world imports {
                import fermyon:spin/variables@2.0.0;
                import wasi:config/store@0.2.0-draft-2024-09-27;
            }
        ",
    });
}

use bindings::fermyon::spin::variables::{self, Error};
use bindings::wasi::config::store;

pub struct VariablesView<'a>(pub &'a Variables);

struct HasVariables;

impl HasData for HasVariables {
    type Data<'a> = VariablesView<'a>;
}

/// Adds both interfaces. Fails if `linker` has them already.
pub fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> VariablesView<'_>,
) -> wasmtime::Result<()> {
    variables::add_to_linker::<T, HasVariables>(linker, view)?;
    store::add_to_linker::<T, HasVariables>(linker, view)
}

impl variables::Host for VariablesView<'_> {
    fn get(&mut self, name: String) -> Result<String, Error> {
        match self.0.0.get(&name) {
            Some(value) => Ok(value.clone()),
            None => Err(match check_name(&name) {
                Err(reason) => Error::InvalidName(format!("{name:?} {reason}")),
                Ok(()) => Error::Undefined(format!("the component has no variable {name:?}")),
            }),
        }
    }
}

impl store::Host for VariablesView<'_> {
    fn get(&mut self, key: String) -> Result<Option<String>, store::Error> {
        Ok(self.0.0.get(&key).cloned())
    }

    fn get_all(&mut self) -> Result<Vec<(String, String)>, store::Error> {
        Ok(self.0.0.iter().map(|(name, value)| (name.clone(), value.clone())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Variables {
        [("greeting", "hello"), ("db_password", "s3cret")].into_iter().collect()
    }

    #[test]
    fn a_declared_variable_has_its_value() {
        let variables = example();
        assert_eq!(variables::Host::get(&mut VariablesView(&variables), "greeting".into()).unwrap(), "hello");
    }

    #[test]
    fn an_undeclared_variable_is_undefined() {
        let variables = example();
        let error = variables::Host::get(&mut VariablesView(&variables), "other".into()).unwrap_err();
        assert!(matches!(error, Error::Undefined(reason) if reason.contains("\"other\"")));
    }

    #[test]
    fn a_malformed_name_is_invalid() {
        let variables = example();
        for name in ["", "Greeting", "1a", "_a", "a_", "a__b", "a-b", "a.b"] {
            let error = variables::Host::get(&mut VariablesView(&variables), name.into()).unwrap_err();
            assert!(matches!(error, Error::InvalidName(reason) if reason.contains(&format!("{name:?}"))), "{name}");
        }
    }

    #[test]
    fn the_store_has_all_and_only_the_variables() {
        let variables = example();
        let mut view = VariablesView(&variables);
        assert_eq!(store::Host::get(&mut view, "greeting".into()).unwrap().as_deref(), Some("hello"));
        assert_eq!(store::Host::get(&mut view, "other".into()).unwrap(), None);
        assert_eq!(store::Host::get_all(&mut view).unwrap().len(), 2);
    }

    #[test]
    fn debug_output_shows_no_value() {
        assert_eq!(format!("{:?}", example()), r#"{"db_password", "greeting"}"#);
    }
}
