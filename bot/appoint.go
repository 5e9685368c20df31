package bot

import (
	"slices"
	"sync"
)

// appointed are the managers and editors whose accounts became known after the start: a configuration may name people as
// their platform does, and only the platform knows whose account that is.
type appointed struct {
	mu                sync.RWMutex
	managers, editors []ActorID
}

// Appoint gives listed people their rights, besides those of Options. Called again it replaces what it gave before.
func (b *Bot) Appoint(managers, editors []ActorID) {
	b.appointed.mu.Lock()
	defer b.appointed.mu.Unlock()
	b.appointed.managers, b.appointed.editors = slices.Clone(managers), slices.Clone(editors)
}

// listedManager says whether the operator listed somebody as a manager.
func (b *Bot) listedManager(who ActorID) bool {
	b.appointed.mu.RLock()
	defer b.appointed.mu.RUnlock()
	return slices.Contains(b.o.Managers, who) || slices.Contains(b.appointed.managers, who)
}

// listedEditor says whether the operator listed somebody as an editor of the library.
func (b *Bot) listedEditor(who ActorID) bool {
	b.appointed.mu.RLock()
	defer b.appointed.mu.RUnlock()
	return slices.Contains(b.o.Editors, who) || slices.Contains(b.appointed.editors, who)
}
