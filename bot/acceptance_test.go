package bot_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/prompts"
)

// An act of somebody who answers: a version of a reply, or its withdrawal, made at a second of its own.
type version struct {
	at       int
	withdrew bool
	values   map[string][]string
}

// drawn is a row of one person's acts.
func drawn(random *rand.Rand, tensions []prompts.TensionID) (acts []version) {
	for at := range 1 + random.IntN(4) {
		v := version{at: at + 1, withdrew: at > 0 && random.IntN(4) == 0, values: map[string][]string{"text": {fmt.Sprint("woorden ", at)}, "share": {[]string{"count", "share"}[random.IntN(2)]}}}
		switch random.IntN(5) {
		case 0:
			v.values["tags"] = []string{"none"}
		case 1:
			v.values["tags"] = []string{"unknown"}
		case 2:
			v.values["tags"], v.values["other"] = []string{"other"}, []string{"de koffie"}
		case 3: // nothing
		default:
			for _, i := range random.Perm(len(tensions))[:1+random.IntN(3)] {
				v.values["tags"] = append(v.values["tags"], string(tensions[i]))
			}
		}
		if random.IntN(2) == 0 {
			v.values["stance"] = []string{[]string{"not-me", "counter"}[random.IntN(2)]}
		}
		acts = append(acts, v)
	}
	return acts
}

// arrives says whether acts may arrive in an order: nobody withdraws what the bot has not seen yet.
func arrives(acts []version) bool {
	for i, a := range acts {
		if a.withdrew && !slices.ContainsFunc(acts[:i], func(b version) bool { return b.at == a.at-1 }) {
			return false
		}
	}
	return true
}

// folded adds up the last version of everybody, as if there had been no other.
func folded(people map[string][]version, last func([]version) version) bot.Tally {
	t := bot.Tally{Tags: map[prompts.TensionID]int{}, Stances: map[bot.Stance]int{}}
	for _, acts := range people {
		v := last(acts)
		if v.withdrew {
			continue
		}
		t.Respondents++
		for _, s := range v.values["stance"] {
			t.Stances[bot.Stance(s)]++
		}
		for _, tag := range v.values["tags"] {
			switch tag {
			case "none":
				t.None++
			case "unknown":
				t.Unknown++
			case "other":
				t.Other++
			default:
				t.Tags[prompts.TensionID(tag)]++
			}
		}
		if tags := v.values["tags"]; len(tags) > 0 && tags[0] != "unknown" {
			t.Tagged++
		}
	}
	return t
}

// However replies are added, replaced and withdrawn, and in whatever order all of that arrives: the tally is that of the last
// versions alone.
func TestTheTallyIsThatOfTheLastVersions(t *testing.T) {
	newest := func(acts []version) version {
		return slices.MaxFunc(acts, func(a, b version) int { return a.at - b.at })
	}
	counted := func(r bot.Round) bot.Tally {
		return bot.Tally{Respondents: r.Tally.Respondents, Tagged: r.Tally.Tagged, Tags: r.Tally.Tags, None: r.Tally.None, Other: r.Tally.Other, Unknown: r.Tally.Unknown, Stances: r.Tally.Stances}
	}
	same := func(a, b bot.Tally) bool {
		if !maps.Equal(a.Tags, b.Tags) || !maps.Equal(a.Stances, b.Stances) {
			return false
		}
		a.Tags, b.Tags, a.Stances, b.Stances = nil, nil, nil, nil
		return reflect.DeepEqual(a, b)
	}
	planted := false
	for seed := range uint64(5) {
		random := rand.New(rand.NewPCG(seed, 0))
		w, r := openWorld(t, 14)
		people := map[string][]version{}
		coming := map[string][]version{} // in the order of arrival
		var arrivals []string
		for i := range 14 {
			person := fmt.Sprintf("p%d", i+1)
			people[person] = drawn(random, tensionIDs(w.o.Library))
			if i < 5 { // enough for a tally, whatever the others do
				people[person] = slices.DeleteFunc(people[person], func(v version) bool { return v.withdrew })
			}
			acts := append(slices.Clone(people[person]), people[person][:len(people[person])/2]...) // some come twice
			for random.Shuffle(len(acts), func(i, j int) { acts[i], acts[j] = acts[j], acts[i] }); !arrives(acts); {
				random.Shuffle(len(acts), func(i, j int) { acts[i], acts[j] = acts[j], acts[i] })
			}
			coming[person] = acts
			for range acts {
				arrivals = append(arrivals, person)
			}
		}
		random.Shuffle(len(arrivals), func(i, j int) { arrivals[i], arrivals[j] = arrivals[j], arrivals[i] })
		for _, person := range arrivals {
			a := coming[person][0]
			coming[person] = coming[person][1:]
			action := ""
			if a.withdrew {
				action = "withdraw"
			}
			w.form(person, r, r.Opens.Add(time.Duration(a.at)*time.Second), action, a.values)
		}
		got := w.finish(r)
		if want := folded(people, newest); got.Tally == nil || !same(counted(got), want) {
			t.Errorf("seed %d: %+v, want %+v", seed, got.Tally, want)
		}
		planted = planted || got.Tally != nil && !same(counted(got), folded(people, func(acts []version) version { return acts[0] }))
		w.close()
	}
	if !planted {
		t.Error("planted violation passed: the first versions count as well as the last")
	}
}

// What the tests of examples, languages and gates would say to one that does not hold.
func TestPlantedViolationsOfGuessing(t *testing.T) {
	lib := *library(t)
	// The words of each tension stand with the next one.
	turned := lib
	turned.Tensions = slices.Clone(lib.Tensions)
	for i := range turned.Tensions {
		turned.Tensions[i].Definitions = lib.Tensions[(i+1)%len(lib.Tensions)].Definitions
	}
	x, n, first := bot.NewLexicon(turned), 0, 0
	for _, tension := range lib.Tensions {
		for _, lang := range prompts.Langs() {
			for _, text := range tension.Definitions[lang].Examples {
				if n++; evidenceOf(t, x, text, lang)[0].Tension == tension.ID {
					first++
				}
			}
		}
	}
	if float64(first) >= .85*float64(n) {
		t.Errorf("the words of another tension: first %d of %d", first, n)
	}
	// The team's language is taken for that of the text.
	texts, right := 0, 0
	for range lib.Prompts {
		for _, lang := range prompts.Langs() {
			if texts++; lang == prompts.Dutch {
				right++
			}
		}
	}
	if float64(right) >= .98*float64(texts) {
		t.Errorf("everything is Dutch: %d of %d", right, texts)
	}
	// A gate that does not allow for chance, and one that closes at the edge.
	share := func(j bot.Judged) float64 { return float64(j.Right) / float64(j.Spoke) }
	if j := (bot.Judged{Spoke: 20, Right: 16}); j.Trusted() || share(j) < .70 {
		t.Error("the bare share would open where the gate does not")
	}
	if j := (bot.Judged{Spoke: 20, Right: 14}); j.Doubted() || share(j) > .70 {
		t.Error("at seven tenths the gate stays")
	}
}
