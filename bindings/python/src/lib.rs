//! The native module of the Python package `spanmux`.
//!
//! The flow is that of the library: a `dict` lends its facts (`facts`) or becomes a context
//! (`context`), a policy decides (`policy`), and the result is a `Decision` (`decision`), which is
//! shared if it is learned (`known`). Python functions can be selectors
//! (`selector`). The routing of spans is written in Python, above this module.

mod command;
mod context;
mod decision;
mod event;
mod exporters;
mod facts;
mod header;
mod known;
mod policy;
mod selector;
mod span;

use pyo3::prelude::*;

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("PolicyError", module.py().get_type::<policy::PolicyError>())?;
    module.add_class::<policy::Policy>()?;
    module.add_class::<policy::TracerList>()?;
    module.add_class::<decision::Decision>()?;
    module.add_class::<exporters::Exporters>()?;
    module.add_function(wrap_pyfunction!(command::run_command, module)?)?;
    module.add_function(wrap_pyfunction!(header::encode_name, module)?)?;
    Ok(())
}
