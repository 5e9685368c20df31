package bot

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/weerklank/weerklank/prompts"
)

// The exact tail of the hypergeometric distribution, on the numbers it was chosen by (TENSIONS 7.3).
func TestChanceOfANewWord(t *testing.T) {
	for _, v := range []struct {
		k, K, M int
		p       float64
	}{{3, 0, 10, .0110}, {3, 0, 11, .0088}, {4, 0, 5, .0079}, {3, 1, 20, .0076}, {3, 3, 48, .0035}} {
		if p := chanceOf(v.k, v.K, v.M); math.Abs(p-v.p) > 5e-5 {
			t.Errorf("%d in the window, %d of %d before: %.5f, want %.4f", v.k, v.K, v.M, p, v.p)
		}
	}
	for M := range wordBefore + 1 { // every word falls somewhere
		for n := 1; n <= M+wordWindow; n++ {
			sum := 0.0
			for x := max(0, n-M); x <= min(wordWindow, n); x++ {
				sum += choose(wordWindow, x) * choose(M, n-x) / choose(M+wordWindow, n)
			}
			if math.Abs(sum-1) > 1e-9 {
				t.Fatalf("%d of %d rounds: all chances together are %v", n, M+wordWindow, sum)
			}
			if p := chanceOf(max(0, n-M), min(n, M), M); n <= M && math.Abs(p-1) > 1e-9 && n-min(n, M) == 0 {
				t.Fatalf("none or more of %d: %v", n, p)
			}
		}
	}
}

// history writes rounds by the tables they have: one letter a word, a capital for one that three shared.
func history(lines ...string) (out []Round) {
	for i, line := range lines {
		r := Round{ID: RoundID(fmt.Sprint("r", i+1)), Number: i + 1, Kind: RoundQuestion, State: RoundGivenBack, MinReplies: 5, Lang: prompts.Dutch, Tally: &Tally{Respondents: 9, Words: WordTable{}}}
		switch line {
		case "few":
			r.State, r.Tally = RoundTooFew, nil
		case "old":
			r.Tally.Words = nil
		default:
			for w := range strings.FieldsSeq(line) {
				word := TableWord{Key: "nl:" + strings.ReplaceAll(strings.ToLower(w), "+", " "), Form: strings.ToLower(w), Replies: 3, Shared: 2}
				if w != strings.ToLower(w) {
					word.Shared = 3
				}
				r.Tally.Words = append(r.Tally.Words, word)
			}
			slices.SortFunc(r.Tally.Words, func(a, b TableWord) int { return strings.Compare(a.Key, b.Key) })
		}
		out = append(out, r)
	}
	return out
}

func repeated(n int, line string) (out []string) {
	for range n {
		out = append(out, line)
	}
	return out
}

// A table that was too large says nothing of the words that a few have: those are not taken to have been absent.
func TestNewWordsBesideLargeTables(t *testing.T) {
	rounds := func(replies int) []Round {
		all := history(slices.Concat(repeated(11, "x"), repeated(4, "W x"))...)
		for i, r := range all {
			switch {
			case i < 11:
				r.Tally.WordsFrom = 5
			default:
				for k := range r.Tally.Words {
					r.Tally.Words[k].Replies = replies
				}
			}
		}
		return all
	}
	if got := newWords(rounds(4), nil); len(got) != 0 { // four had it before too, perhaps
		t.Errorf("%+v", got)
	}
	got := newWords(rounds(5), nil)
	if len(got) != 1 || got[0].Form != "w" || got[0].From != 5 {
		t.Fatalf("%+v", got)
	}
	lib := builtin(t)
	for again, want := range map[bool]string{false: "Nieuw woord: w. In de laatste vier rondes kwam het vaker voor dan daarvoor.", true: "Weer terug: w. In de laatste vier rondes kwam het vaker voor dan daarvoor."} {
		got[0].Again = again
		if text := newsMessage(Round{Lang: prompts.Dutch, News: got}, nil, lib).Plain(); !strings.Contains(text, want) {
			t.Error(text)
		}
	}
	noted := history(slices.Concat(repeated(4, "W"), repeated(20, "x"), repeated(4, "W"))...)
	for _, r := range noted[4:24] {
		r.Tally.WordsFrom = 4
	}
	if (WordNote{Key: "nl:w", Shown: 4}).returns(noted) {
		t.Error("it was perhaps never away")
	}
}

func TestNewWordsAreFound(t *testing.T) {
	all := func(parts ...[]string) []string { return slices.Concat(parts...) }
	note := func(key string, shown int, decision string) []WordNote {
		return []WordNote{{Key: "nl:" + key, Shown: shown, WordDecision: WordDecision{Decision: decision}}}
	}
	for name, tc := range map[string]struct {
		lines []string
		notes []WordNote
		want  string
	}{
		"four of four after five rounds":       {all(repeated(5, "x"), repeated(4, "W x")), nil, "w 4 0 5"},
		"three of four after ten is too early": {all(repeated(10, "x"), []string{"W", "", "W", "W"}), nil, ""},
		"three of four after eleven":           {all(repeated(11, "x"), []string{"W", "", "W", "W"}), nil, "w 3 0 11"},
		"a burst of one round":                 {all(repeated(30, "x"), []string{"W", "", "", ""}), nil, ""},
		"known before":                         {all(repeated(11, "w"), repeated(4, "W")), nil, ""},
		"never three who share":                {all(repeated(20, "x"), repeated(4, "w")), nil, ""},
		"three who share once":                 {all(repeated(20, "x"), []string{"w", "W", "w", "w"}), nil, "w 4 0 20"},
		"shared in the background only":        {all(repeated(20, "x"), []string{"W"}, repeated(20, "x"), repeated(4, "w")), nil, ""},
		"rounds with too few are no rounds":    {all(repeated(5, "x"), []string{"W", "few", "few", "W", "W", "few", "W"}), nil, "w 4 0 5"},
		"rounds of before there were tables":   {all(repeated(30, "old"), repeated(4, "W")), nil, ""},
		"counted from the last of them on":     {all(repeated(30, "x"), []string{"old"}, repeated(5, "x"), repeated(4, "W")), nil, "w 4 0 5"},
		"no more than 48 before":               {all([]string{"W"}, repeated(48, "x"), repeated(4, "W")), nil, "w 4 0 48"},
		"a pair hides its parts":               {all(repeated(11, "x"), repeated(4, "A B A+B")), nil, "a+b 4 0 11"},
		"at most three, most surprising first": {all(repeated(19, "x"), []string{"e"}, []string{"A", "A B C D E", "A B C D E", "A B C D E"}), nil, "a 4 0 20, b 3 0 20, c 3 0 20"},
		"shown once":                           {all(repeated(11, "x"), repeated(4, "W")), note("w", 14, ""), ""},
		"back again":                           {all(repeated(4, "W"), repeated(20, "x"), repeated(4, "W")), note("w", 4, ""), "w 4 4 24 again"},
		"not after eleven rounds":              {all(repeated(4, "x"), repeated(4, "W"), repeated(11, "x"), repeated(4, "W")), note("w", 8, ""), ""},
		"not after a decision":                 {all(repeated(4, "W"), repeated(30, "x"), repeated(4, "W")), note("w", 4, "never"), ""},
		"too young":                            {repeated(4, "W"), nil, ""},
	} {
		var got []string
		for _, w := range newWords(history(tc.lines...), tc.notes) {
			s := fmt.Sprintf("%s %d %d %d", w.Form, w.Rounds, w.Before, w.Of)
			if w.Again {
				s += " again"
			}
			got = append(got, s)
		}
		if strings.Join(got, ", ") != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

// ---- a stream of made-up replies

// stream writes rounds of made-up replies: words of a common stock, a third of them from what a reply is about.
type stream struct {
	chance *rand.PCG
	r      *rand.Rand
	common lottery
	topics []lottery
	order  []int
}

// lottery draws words, early ones more often.
type lottery struct {
	words []string
	sums  []float64
}

func newLottery(words []string, shift float64) lottery {
	l := lottery{words: words}
	sum := 0.0
	for rank := range words {
		sum += 1 / (float64(rank) + shift)
		l.sums = append(l.sums, sum)
	}
	return l
}

func (l lottery) draw(r *rand.Rand) string {
	i, _ := slices.BinarySearch(l.sums, r.Float64()*l.sums[len(l.sums)-1])
	return l.words[min(i, len(l.words)-1)]
}

// pseudo makes words that no list knows and no stemmer touches.
func pseudo(n int) (out []string) {
	consonants, vowels := strings.Split("bdfgklmnprvz", ""), strings.Split("aou", "")
	for i := 0; len(out) < n; i++ {
		syllable := func(k int) string { return consonants[k%12] + vowels[k/12%3] }
		w := syllable(i) + syllable(i/36) + syllable(i/36/36) + "k"
		if stem(w, prompts.Dutch) == w && content(w, prompts.Dutch) && languageOf(tokenise(w), prompts.Dutch) == prompts.Dutch && len(FindHints(w, HintOptions{})) == 0 {
			out = append(out, w)
		}
	}
	return out
}

func newStream(seed uint64, words []string) *stream {
	s := &stream{chance: rand.NewPCG(seed, 0), common: newLottery(words[:400], 5)}
	s.r = rand.New(s.chance)
	for k := range 9 {
		s.topics = append(s.topics, newLottery(words[400+25*k:400+25*(k+1)], 1))
	}
	return s
}

// fork goes on from here by itself.
func (s *stream) fork() *stream {
	f, chance := *s, *s.chance
	f.chance, f.r, f.order = &chance, rand.New(&chance), slices.Clone(s.order)
	return &f
}

// reply writes twenty words in two sentences.
func (s *stream) reply(topic int) string {
	var out strings.Builder
	for i := range 20 {
		l := s.common
		if s.r.Float64() < .3 {
			l = s.topics[topic]
		}
		out.WriteString(l.draw(s.r))
		if i%10 == 9 {
			out.WriteString(".")
		}
		out.WriteString(" ")
	}
	return out.String()
}

// made is a round of the stream: its table, and of each word how many replies hold it and how many of these are about the
// ninth topic.
type made struct {
	round Round
	of    map[string][2]int
}

func (s *stream) round(number, replies int, share float64) made {
	if len(s.order) == 0 {
		s.order = s.r.Perm(8)
	}
	asked := s.order[0]
	s.order = s.order[1:]
	var texts []writing
	var ninth []bool
	for range replies {
		topic := s.r.IntN(8)
		switch {
		case s.r.Float64() < share:
			topic = 8
		case s.r.Float64() < .5:
			topic = asked
		}
		texts, ninth = append(texts, writing{s.reply(topic), true}), append(ninth, topic == 8)
	}
	m := made{of: map[string][2]int{}, round: history("")[0]}
	m.round.Number, m.round.Tally.Respondents = number, replies
	m.round.Tally.Words, m.round.Tally.WordsFrom = makeWordTable(texts, tableRules{home: prompts.Dutch})
	for _, w := range m.round.Tally.Words {
		_, stems, _ := strings.Cut(w.Key, ":")
		n := m.of[w.Key]
		for i, text := range texts {
			has := true
			for stem := range strings.FieldsSeq(stems) { // of a pair, both
				has = has && strings.Contains(text.text, stem)
			}
			if has {
				n[0]++
				if ninth[i] {
					n[1]++
				}
			}
		}
		m.of[w.Key] = n
	}
	return m
}

// story is a team to which new words are shown, round after round.
type story struct {
	*stream
	rounds []made
	team   Team
}

// next plays a round and says whether a right word was shown, and how many wrong ones: a word is right if six in ten of its
// replies in the window are about the ninth topic.
func (s *story) next(replies int, share float64) (right bool, wrong int) {
	m := s.round(len(s.rounds)+1, replies, share)
	s.rounds = append(s.rounds, m)
	var plain []Round
	for _, m := range s.rounds {
		plain = append(plain, m.round)
	}
	m.round.News = newWords(plain, s.team.Words)
	s.team.noteWords(m.round)
	for _, w := range m.round.News {
		n := [2]int{}
		for _, m := range s.rounds[max(0, len(s.rounds)-wordWindow):] {
			n[0] += m.of[w.Key][0]
			n[1] += m.of[w.Key][1]
		}
		if 10*n[1] >= 6*n[0] {
			right = true
		} else {
			wrong++
		}
	}
	return right, wrong
}

// play gives how many wrong words rounds 17 to 28 had, and for each share of the ninth topic, from round 29 on, in which
// round from there it was found; 0: not in twelve.
func play(seed uint64, words []string, replies int, shares []float64) (wrong int, found []int) {
	quiet := &story{stream: newStream(seed, words)}
	for number := 1; number <= 28; number++ {
		if _, w := quiet.next(replies, 0); number >= 17 {
			wrong += w
		}
	}
	for _, share := range shares {
		s, at := &story{quiet.fork(), slices.Clone(quiet.rounds), Team{Words: slices.Clone(quiet.team.Words)}}, 0
		for n := 1; n <= 12 && at == 0; n++ {
			if right, _ := s.next(replies, share); right {
				at = n
			}
		}
		found = append(found, at)
	}
	return wrong, found
}

// What is new is found, and what is not is not, in streams of made-up replies (TENSIONS 11, 14).
func TestNewWordsInAStream(t *testing.T) {
	t.Parallel()
	words := pseudo(400 + 9*25)
	const seeds = 100
	shares, within := []float64{.30, .20}, []int{6, 12}
	var mu sync.Mutex
	var found [2]int
	wrong := 0
	next := make(chan uint64, seeds)
	for seed := uint64(1); seed <= seeds; seed++ {
		next <- seed
	}
	close(next)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for seed := range next {
				w, at := play(seed, words, 20, shares)
				mu.Lock()
				wrong += w
				for i := range at {
					if at[i] > 0 && at[i] <= within[i] {
						found[i]++
					}
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	perRound := float64(wrong) / (seeds * 12)
	t.Logf("a share of .30 within 6 rounds: %.2f; .20 within 12: %.2f; wrong words a quiet round: %.3f", float64(found[0])/seeds, float64(found[1])/seeds, perRound)
	if found[0] < 95 || found[1] < 90 || perRound > .15 {
		t.Error("want at least .95 and .90, and at most .15")
	}
	// Planted: who takes every word of the last round for new that no round before had cries wolf.
	quiet, wolf, rounds := newStream(1, words), 0, map[string]bool{}
	for number := 1; number <= 28; number++ {
		for key := range quiet.round(number, 20, 0).of {
			if number >= 17 && !rounds[key] {
				wolf++
			}
			rounds[key] = true
		}
	}
	if float64(wolf)/12 <= .15 {
		t.Error("a rule that is none passes: the stream has no noise")
	}
}
