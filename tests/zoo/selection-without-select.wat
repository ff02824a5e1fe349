;; Exports a selection that has no function in it.
(component
  (instance $selection)
  (export "spanway:selector/selection@0.1.0" (instance $selection)))
