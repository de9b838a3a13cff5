package smtp

import (
	"maps"
	"slices"
)

// Verbs are the commands of the table.
func Verbs() []string { return slices.Sorted(maps.Keys(commands)) }

// For the fuzz targets.
var (
	ParseCommand = func(l []byte) (verb, arg string, err error) {
		verb, _, arg, err = parseCommand(l)
		return verb, arg, err
	}
	CutPath     = cutPath
	ParsePath   = parsePath
	EachParam   = eachParam
	DecodeXtext = decodeXtext
	EncodeXtext = encodeXtext
)
