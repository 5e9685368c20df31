package bot

import (
	"cmp"
	"errors"
	"slices"

	"github.com/weerklank/weerklank/prompts"
)

// hand is what one person has in one box: the ballot, which counts, and aside, a draft that waits for its author or the
// marks of what was taken back. Its methods are pure and run inside the store's transaction.
//
// Events come more than once and in any order, so each carries a version, the platform's time of what somebody did.
// Three rules keep that harmless: nothing at or below the floor changes anything any more; a choice about a draft counts
// only if the draft has not changed since; and a taken back message leaves a mark that keeps late copies out.
type hand struct {
	ballot *slip
	aside  *slip
}

var (
	// errSame ends a change that has nothing to change: a redelivery, or something older than what is there.
	errSame = errors.New("nothing to change")
	// errNothing says that there is no reply to change.
	errNothing = errors.New("there is no reply")
	// errTagAlone says that "none" or "unknown" came together with other tags.
	errTagAlone = errors.New("this tag stands alone")
)

// floor is the version of the last form or withdrawal.
func (h *hand) floor() int64 {
	var v int64
	for _, s := range []*slip{h.ballot, h.aside} {
		if s != nil {
			v = max(v, s.Floor)
		}
	}
	return v
}

// draft says whether something waits for its author.
func (h *hand) draft() bool { return h.aside != nil && h.aside.Wait != "" }

// knows says whether a typed message is part of what lies here, or was.
func (h *hand) knows(message mark) bool {
	return h.ballot.part(message) != nil || h.aside.part(message) != nil
}

// words are the reply's text and its author's own label.
func (h *hand) words() (text, other string) {
	if h.ballot == nil {
		return "", ""
	}
	return h.ballot.text(), h.ballot.Other
}

// rewrite changes the words of a draft, as its author asked with a button. What was typed keeps its version, so that the
// same message again changes nothing.
func (h *hand) rewrite(at int64, change func(string) string) error {
	if !h.draft() || at < h.aside.Version {
		return errSame
	}
	d, changed := h.newDraft(), false
	for i, p := range d.Parts {
		if text := change(p.text); !p.gone && text != p.text {
			d.Parts[i].text, changed = text, true
		}
	}
	if !changed {
		return errSame
	}
	if err := fits(d.text()); err != nil {
		return err
	}
	d.Version = max(d.Version, at)
	h.aside = d
	return nil
}

// put lays the reply of a form. It takes the place of everything older.
func (h *hand) put(form *slip) error {
	if h.floor() >= form.Version || h.ballot != nil && h.ballot.Version >= form.Version {
		return errSame
	}
	h.takeBack(form.Version)
	if len(h.aside.Parts) == 0 { // the ballot has the floor; an empty grave would double what is written
		h.aside = nil
	}
	form.Floor = form.Version
	h.ballot = form
	if h.draft() && h.aside.Wait == awaitShare { // typed after the form, delivered before it
		h.aside.Wait = awaitMerge
	}
	return nil
}

// bury withdraws everything that is not newer than at.
func (h *hand) bury(at int64) error {
	if h.floor() >= at {
		return errSame
	}
	h.takeBack(at)
	return nil
}

func (h *hand) takeBack(at int64) {
	grave, seen := &slip{Version: at}, h.seen()
	if h.draft() && h.aside.Version > at {
		grave = h.aside
		for i := range grave.Parts {
			if grave.Parts[i].at <= at {
				grave.Parts[i] = grave.Parts[i].tombstone()
			}
		}
		grave.forget(at)
	} else if h.aside != nil {
		grave.remember(h.aside.Parts)
	}
	if b := h.ballot; b != nil && b.Version > at {
		for i := range b.Parts {
			if b.Parts[i].at <= at {
				b.Parts[i] = b.Parts[i].tombstone()
			}
		}
		b.forget(at)
	} else if b != nil {
		grave.remember(b.Parts)
		h.ballot = nil
	}
	grave.remind(seen)
	grave.Floor = at
	h.aside = grave
	h.settle()
}

// settle withdraws a reply of which nothing is left, and ends a draft without words.
func (h *hand) settle() {
	if b := h.ballot; b != nil && b.text() == "" {
		switch {
		case b.Stance != "" || b.Choice != "":
			b.Share = ShareCount
		default:
			if h.aside == nil {
				h.aside = &slip{Version: b.Version}
			}
			h.aside.remember(b.Parts)
			h.aside.remind(b)
			h.aside.Floor = h.floor()
			h.ballot = nil
		}
	}
	if h.draft() && h.aside.text() == "" {
		d := h.aside
		*d = slip{Version: d.Version, Floor: d.Floor, Parts: d.Parts, Guess: d.Guess, GuessAt: d.GuessAt}
	}
	if h.draft() && h.aside.Wait == awaitMerge && h.ballot == nil {
		h.aside.Wait = awaitShare
	}
}

// write joins a typed message to the draft, and begins one if there is none. unknown says that the round is not known.
func (h *hand) write(p part, unknown bool) error {
	if h.floor() >= p.at || h.knows(p.message) {
		return errSame
	}
	d := h.newDraft()
	if d.Wait == "" {
		switch {
		case unknown:
			d.Wait = awaitRound
		case h.ballot != nil:
			d.Wait = awaitMerge
		default:
			d.Wait = awaitShare
		}
	}
	if err := d.add(p); err != nil {
		return err
	}
	d.Version = max(d.Version, p.at)
	h.aside = d
	return nil
}

func (h *hand) newDraft() *slip {
	d := &slip{}
	if h.aside != nil {
		*d = *h.aside
		d.Parts = slices.Clone(d.Parts)
	}
	return d
}

// edit replaces the text of a typed message wherever it stands.
func (h *hand) edit(message mark, text string, at int64) error {
	changed := false
	for _, s := range []*slip{h.ballot, h.aside} {
		p := s.part(message)
		if p == nil || p.gone || p.at >= at {
			continue
		}
		p.text, p.at = text, at
		if err := fits(s.text()); err != nil {
			return err
		}
		s.Version, changed = max(s.Version, at), true
	}
	if !changed {
		return errSame
	}
	return nil
}

// remove takes a deleted message out of the reply and the draft. One that was never seen leaves a mark: a deletion may
// come before what it deletes.
func (h *hand) remove(message mark, at int64) error {
	hit := false
	for _, s := range []*slip{h.ballot, h.aside} {
		if p := s.part(message); p != nil && !p.gone {
			*p = part{message: message, at: max(at, p.at), gone: true}
			s.Version, hit = max(s.Version, at), true
		}
	}
	switch {
	case hit:
		h.settle()
	case h.knows(message):
		return errSame
	default:
		if h.aside == nil {
			h.aside = &slip{}
		}
		h.aside.Parts = append(h.aside.Parts, part{message: message, at: at, gone: true})
	}
	return nil
}

// merge joins the draft to the reply that is there, or lets it take its place. The old reply stands until the share
// choice is made again.
func (h *hand) merge(add bool, at int64) error {
	if !h.draft() || h.aside.Wait != awaitMerge || at < h.aside.Version {
		return errSame
	}
	d := h.newDraft()
	d.Wait, d.Version = awaitShare, max(d.Version, at)
	if old := h.ballot; old != nil {
		if d.Stance == "" {
			d.Stance, d.StanceAt = old.Stance, old.StanceAt
		}
		d.CodeAt, d.Salt = old.CodeAt, old.Salt
		d.remind(old)
		if !add {
			d.remember(old.Parts)
		}
		var before []part // what was there first stays first
		for _, p := range old.Parts {
			if add && (p.message == (mark{}) || d.part(p.message) == nil) { // a form's text has no message
				before = append(before, p)
			}
		}
		d.Parts = append(before, d.Parts...)
		slices.SortStableFunc(d.Parts, func(a, b part) int { return cmp.Compare(a.at, b.at) })
		if add {
			d.Tags, d.Plain, d.Other, d.TagsAt = old.Tags, old.Plain, old.Other, old.TagsAt
			d.Mirror = old.Mirror
		}
		if d.live() > maxParts {
			return errTooMany
		}
		if err := fits(d.text()); err != nil {
			return err
		}
	}
	h.aside = d
	return nil
}

// share makes the draft a reply, with what its author lets be done with it; "for myself" takes everything back. word is the
// message that chose, if it was typed: its mark lies in the same transaction, so that the same "2" again is no tag.
func (h *hand) share(choice Share, word mark, at int64) error {
	if !h.draft() || h.aside.Wait != awaitShare || at < h.aside.Version {
		return errSame
	}
	if choice == ShareMyself {
		return h.bury(at)
	}
	kept := h.newDraft()
	kept.Version, kept.Wait, kept.Share, kept.Floor = at, awaitTags, choice, h.floor()
	if kept.CodeAt == 0 {
		kept.CodeAt, kept.Salt = at, newSalt()
	}
	if word != (mark{}) && kept.part(word) == nil {
		kept.Parts = append(kept.Parts, part{message: word, at: at, gone: true})
	}
	h.ballot, h.aside = kept, nil
	return nil
}

// tag adds what the reply was about; none and unknown stand alone and take the place of what was there.
func (h *hand) tag(tags []prompts.TensionID, plain, other string, at int64) error {
	if h.ballot == nil {
		return errNothing
	}
	if at < h.ballot.Version || at < h.ballot.TagsAt { // an older tag adds nothing to newer ones
		return errSame
	}
	changed := h.ballot.tag(tags, plain, other, at)
	if h.draft() && h.aside.Wait == awaitShare { // it takes the ballot's place once its author has chosen
		changed = h.aside.tag(tags, plain, other, at) || changed
	}
	if !changed {
		return errSame
	}
	return nil
}

func (b *slip) tag(tags []prompts.TensionID, plain, other string, at int64) (changed bool) {
	new := *b
	if plain != "" {
		new.Tags, new.Other, new.Plain, new.TagsAt, new.Mirror = nil, "", plain, at, ""
	} else {
		if !b.tagged() || b.Plain != "" {
			new.TagsAt = at // of the oldest: they are taken back together
		}
		new.Tags, new.Plain, new.Other = slices.Clone(b.Tags), "", cmp.Or(other, b.Other)
		for _, t := range tags {
			if !slices.Contains(new.Tags, t) {
				new.Tags = append(new.Tags, t)
			}
		}
	}
	if new.Plain == b.Plain && new.Other == b.Other && slices.Equal(new.Tags, b.Tags) {
		return false
	}
	*b = new
	return true
}

func (b *slip) tagged() bool { return len(b.Tags) > 0 || b.Other != "" || b.Plain != "" }

// forget takes the tap and the tags back that came with what is withdrawn: those that are not newer than at, in a reply
// that began before it.
func (b *slip) forget(at int64) {
	if b.CodeAt > at {
		return
	}
	if b.StanceAt <= at {
		b.Stance, b.StanceAt = "", 0
	}
	if b.TagsAt <= at {
		b.Tags, b.Plain, b.Other, b.TagsAt, b.Mirror = nil, "", "", 0, ""
	}
}

// stand sets the one-tap answer: of the draft, of the reply, or as a reply of its own.
func (h *hand) stand(v Stance, at int64) error {
	switch {
	case h.draft():
		if at < h.aside.Version {
			return errSame
		}
		h.aside.Stance, h.aside.StanceAt, h.aside.Version = v, at, at
	case h.ballot != nil:
		if at < h.ballot.Version {
			return errSame
		}
		h.ballot.Stance, h.ballot.StanceAt, h.ballot.Version = v, at, at
	case h.floor() >= at:
		return errSame
	default:
		kept := h.newDraft() // carries the marks
		kept.Version, kept.CodeAt, kept.Salt = at, at, newSalt()
		kept.Stance, kept.StanceAt = v, at
		kept.Share, kept.Wait, kept.Floor = ShareCount, awaitTags, h.floor()
		h.ballot, h.aside = kept, nil
	}
	return nil
}

// here says that the draft belongs to this round.
func (h *hand) here(at int64) error {
	if !h.draft() || h.aside.Wait != awaitRound || at < h.aside.Version {
		return errSame
	}
	h.aside.Wait, h.aside.Version = awaitShare, at+1 // the same words again are no answer to the next question
	if h.ballot != nil {
		h.aside.Wait = awaitMerge
	}
	return nil
}

// receive takes over a draft that waited elsewhere for its round.
func (h *hand) receive(from *slip, at int64) error {
	d := h.newDraft()
	if d.Wait == "" || d.Wait == awaitRound {
		d.Wait = awaitShare
		if h.ballot != nil {
			d.Wait = awaitMerge
		}
	}
	changed := false
	for _, p := range from.Parts {
		if p.gone || h.knows(p.message) {
			continue
		}
		if err := d.add(p); err != nil {
			return err
		}
		changed = true
	}
	if !changed {
		return errSame
	}
	if from.Stance != "" {
		d.Stance, d.StanceAt = from.Stance, from.StanceAt
	}
	d.Version = max(d.Version, at+1)
	h.aside = d
	return nil
}

// release lets go of what another round took over.
func (h *hand) release(taken *slip) error {
	if !h.draft() || h.aside.Wait != awaitRound {
		return errSame
	}
	h.aside.Parts = slices.DeleteFunc(h.aside.Parts, func(p part) bool { return !p.gone && taken.part(p.message) != nil })
	h.settle()
	if len(h.aside.Parts) == 0 && h.aside.Floor == 0 && !h.draft() {
		h.aside = nil
	}
	return nil
}
