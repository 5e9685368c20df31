package bot

import (
	"context"
	"maps"
	"slices"

	"github.com/weerklank/weerklank/prompts"
)

// ImportPlan is what an import would do. It is applied whole or not at all: with anything in Refused, not.
type ImportPlan struct {
	Stamp   string // of the catalogue it was made for
	New     []Entry
	Changed []ImportChange
	Same    int
	Refused []ImportRefusal

	Reviewed bool // made by PlanReviewedImport
}

// ImportChange is one entry that an import changes.
type ImportChange struct {
	Before, After Entry
	Fields        []FieldChange
}

// ImportRefusal is one thing that keeps an import from being applied.
type ImportRefusal struct {
	Key   EntryKey // of the entry; zero: the library itself
	Field string   // as in the file, "nl.title"; empty: the entry as a whole
	Text  prompts.Text
	Row   int // in the file; 0: not known, see Place
}

// Place fills in where in the file the refusals stand.
func (p *ImportPlan) Place(places prompts.Places) {
	for i, r := range p.Refused {
		if at, ok := places.Of(string(r.Key.Kind), r.Key.ID, r.Field); ok {
			p.Refused[i].Row = at.Row
		}
	}
}

// PlanImport says what an import of lib would do, and changes nothing. Entries that the file lacks stay as they are. What
// is new or changed and calls itself active comes in for review; a file names its revision, and one that is older than
// the library's is refused, because it would undo what was changed meanwhile.
func (b *Bot) PlanImport(ctx context.Context, lib prompts.Library) (ImportPlan, error) {
	return b.planImport(ctx, lib, false)
}

// PlanReviewedImport is PlanImport for the operator, who answers for what the file says: a prompt that names a reviewer
// is active at once.
func (b *Bot) PlanReviewedImport(ctx context.Context, lib prompts.Library) (ImportPlan, error) {
	return b.planImport(ctx, lib, true)
}

func (b *Bot) planImport(ctx context.Context, lib prompts.Library, reviewed bool) (ImportPlan, error) {
	l, err := b.layers(ctx)
	if err != nil {
		return ImportPlan{}, err
	}
	l.note()
	plan := ImportPlan{Stamp: l.own.Stamp, Reviewed: reviewed}
	incoming := shelfOf(lib)
	var coming batch
	changed := map[EntryKey]bool{}
	seen := map[EntryKey]bool{}
	for _, key := range l.keys(lib) {
		if seen[key] {
			plan.refuse(key, "id", "is used twice; an id is never used again")
			continue
		}
		seen[key] = true
		c := l.floored(key, incoming.at[key].tidy())
		cur, there := l.entry(key)
		stale := c.Prompt != nil && there && c.Prompt.Revision < cur.Prompt.Revision
		if c.Prompt != nil {
			arrive(c.Prompt, cur.Prompt, reviewed)
		}
		other := false
		if c.Tension != nil && cur.Tension != nil {
			stale, other = arriveTension(c.Tension, *cur.Tension)
		}
		switch fields := changedFields(cur.content(), c, counted...); {
		case !there && l.own.Used[key] != "":
			plan.refuse(key, "id", "was used before, and an id is never used again; choose another")
			continue
		case !there:
			plan.New = append(plan.New, entryOf(key, c))
		case len(fields) == 0:
			plan.Same++
			continue
		case cur.ReadOnly:
			plan.refuse(key, "id", "comes from the directory of files; change it there")
			continue
		case stale && c.Tension != nil:
			plan.refuse(key, "label", "was changed since the file was made; export again and change that")
			continue
		case stale:
			plan.refuse(key, "revision", "was changed since the file was made (revision %d, the file has %d); export again and change that", cur.Prompt.Revision, incoming.at[key].Prompt.Revision)
			continue
		case other:
			plan.refuse(key, "label", "has other words in the file, and the file cannot say whether they mean the same; change them where you edit tensions")
			continue
		default:
			plan.Changed = append(plan.Changed, ImportChange{Before: cur, After: entryOf(key, c)})
		}
		changed[key] = true
		coming.add(c)
	}
	for i := range plan.Changed {
		plan.Changed[i].Fields = diff(plan.Changed[i].Before.content(), plan.Changed[i].After.content())
	}
	after := judged(l.library(true).Over(coming.lib), slices.Collect(maps.Keys(changed))...)
	for _, p := range problemsOf(after) {
		if key := (EntryKey{EntryKind(p.Table), p.ID}); changed[key] {
			plan.Refused = append(plan.Refused, ImportRefusal{Key: key, Field: p.Field, Text: prompts.Text{prompts.Dutch: p.In(prompts.Dutch), prompts.English: p.In(prompts.English)}})
		}
	}
	plan.lint(after, changed)
	return plan, nil
}

// arrive sets where a prompt stands when it comes in, and counts its revision.
func arrive(p, old *prompts.Prompt, reviewed bool) {
	same := false
	if old != nil {
		fields := changedFields(Content{Prompt: old}, Content{Prompt: p}, standing...)
		same = old.Status == prompts.Active && !slices.ContainsFunc(fields, func(f string) bool { return !slices.Contains(unseen, f) })
		if len(fields) > 0 && p.Revision == old.Revision {
			p.Revision++
		}
	}
	switch {
	case p.Status != prompts.Active || reviewed:
	case same:
		p.Reviewer = old.Reviewer
	default:
		p.Status, p.Reviewer = prompts.Review, ""
	}
}

// arriveTension lets what was counted for a tension count on when it comes in. What keeps it out is that it is older than
// what stands here, or has other words of which the file does not say that they mean the same.
func arriveTension(t *prompts.Tension, old prompts.Tension) (stale, other bool) {
	switch sense := t.Sense(); {
	case sense == old.Sense():
		t.Formerly = old.Formerly
	case old.Means(sense):
		return true, false
	case t.Means(old.Sense()):
		*t = t.After(old)
	default:
		return false, true
	}
	return false, false
}

func (p *ImportPlan) refuse(key EntryKey, field, format string, args ...any) {
	problem := prompts.NewProblem(string(key.Kind), key.ID, field, format, args...)
	p.Refused = append(p.Refused, ImportRefusal{Key: key, Field: field,
		Text: prompts.Text{prompts.Dutch: problem.In(prompts.Dutch), prompts.English: problem.In(prompts.English)}})
}

// lint refuses what the lint calls an error, except in what may have gaps: it is not finished.
func (p *ImportPlan) lint(lib prompts.Library, changed map[EntryKey]bool) {
	for _, f := range prompts.Lint(lib) {
		key := EntryKey{EntryPrompt, string(f.Prompt)}
		if f.Tension != "" {
			key = EntryKey{EntryTension, string(f.Tension)}
		}
		one, _ := lib.Prompt(f.Prompt)
		if f.Level != prompts.Error || !changed[key] || one.Gaps() {
			continue
		}
		field := f.Field
		if f.Lang != "" {
			field = string(f.Lang) + "." + field
		}
		p.Refused = append(p.Refused, ImportRefusal{Key: key, Field: field, Text: f.Text})
	}
}

// refused is a plan's refusals as an error; nil: none.
func (p ImportPlan) refused() error {
	if len(p.Refused) == 0 {
		return nil
	}
	out := &Refused{}
	for _, r := range p.Refused {
		out.Problems = append(out.Problems, prompts.Problem{Table: string(r.Key.Kind), ID: r.Key.ID, Field: r.Field, Text: r.Text[prompts.English], Dutch: r.Text[prompts.Dutch]})
	}
	return out
}

// ApplyImport does what a plan says, and tells the other editors who want to know if something waits for review then. ErrConflict if the library changed since; *Refused if the plan has refusals.
func (b *Bot) ApplyImport(ctx context.Context, by ActorID, p ImportPlan) error {
	if err := p.refused(); err != nil {
		return err
	}
	if len(p.New)+len(p.Changed) == 0 {
		return nil
	}
	err := b.editLibrary(ctx, func(l *layers) (_ Also, err error) {
		if l.own.Stamp != p.Stamp {
			return Also{}, ErrConflict
		}
		entries := slices.Clone(p.New)
		for _, c := range p.Changed {
			entries = append(entries, c.After)
		}
		act := did(by, "import")
		var also Also
		waits := false
		for _, e := range entries {
			c, cur := e.content().tidy(), Entry{}
			if found, ok := l.entry(e.Key); ok {
				cur = found
			}
			waits = waits || c.Prompt != nil && c.Prompt.Status == prompts.Review
			l.put(e.Key, c, act, func(o *OwnEntry) {
				if c.Prompt != nil {
					o.drafted(cur.Prompt, *c.Prompt, by)
				}
			})
			also.Audit = append(also.Audit, audited(act, e.Key).Audit...)
		}
		if waits {
			also.Posts, err = b.notices(ctx, by, act.At, false)
		}
		return also, err
	})
	if err == nil {
		b.wake(b.wakeSender)
	}
	return err
}
