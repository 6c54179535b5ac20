package main

import "slices"

func defects() []defect {
	return slices.Concat(rightsDefects(), tokenDefects(), memberDefects(), eventDefects(), passwordDefects(), storeDefects(), wireDefects(),
		actorDefects(), directoryDefects(), dialectDefects(), keyDefects())
}
