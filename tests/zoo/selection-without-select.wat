;; Exports a selection without functions.
(component
  (instance $selection)
  (export "spanmux:selector/selection@0.1.0" (instance $selection)))
