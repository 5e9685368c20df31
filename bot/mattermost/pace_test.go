package mattermost

import "golang.org/x/time/rate"

// Unpaced lets an Adapter post as fast as the server takes it.
func (a *Adapter) Unpaced() { a.pace.SetLimit(rate.Inf) }
