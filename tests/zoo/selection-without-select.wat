;; Exports a selection that has no function in it.
(component
  (instance $selection)
  (export "spanmux:selector/selection@0.1.0" (instance $selection)))
