// A user's program imports Lathe alone.
@_exported public import LatheC
@_exported public import LatheCore
@_exported public import LatheData
@_exported public import LatheNN
@_exported public import LatheONNX
@_exported public import LathePT2
@_exported public import LatheRun
