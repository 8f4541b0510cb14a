// Whoever makes a tool of a model declares commands and options, too.
@_exported public import ArgumentParser
