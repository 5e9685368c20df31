package bot

// Level is how much a Finding matters.
type Level string

// The levels of a finding.
const (
	Must   Level = "must"   // the bot cannot do its work, or not all of it
	Should Level = "should" // it works; somebody had better look
	Good   Level = "good"   // what was looked at and is right
)

// Finding is one thing that a look at a platform showed, as a key of the catalogue with what fills it. What is not good names
// the one thing to do.
type Finding struct {
	Level Level
	Key   string
	Pairs []string
}
