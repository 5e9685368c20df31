package bot

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

var (
	// nobodys are words behind @ that call on all or name a place, and endings of sites rather than names.
	nobodys   = setOf("here all channel everyone iedereen allen team weerklank school werk home thuis kantoor work collega collegas")
	siteTails = setOf("nl be de eu com org net info gov example")
)

// mails finds e-mail addresses and mentions: all that turns on an @.
func (s *scanned) mails(add func(HintKind, int, int)) {
	for i := range len(s.text) {
		if s.text[i] != '@' {
			continue
		}
		if at, end := s.email(i); end > 0 {
			add(HintEmail, at, end)
		} else if at, end := s.mention(i); end > 0 {
			add(HintMention, at, end)
		}
	}
}

// run gives the end of the letters, digits and extra signs that begin at i, at most some 200 bytes further.
func (s *scanned) run(i int, extra string) int {
	j := i
	for j < len(s.text) && j-i < 200 {
		r := s.after(j)
		if !wordRune(r) && !strings.ContainsRune(extra, r) {
			break
		}
		j += utf8.RuneLen(r)
	}
	return j
}

// email finds the address around the @ at i.
func (s *scanned) email(i int) (at, end int) {
	at = i
	for at > 0 && i-at < 64 {
		r := s.before(at)
		if !wordRune(r) && !strings.ContainsRune("._%+-'", r) {
			break
		}
		at -= utf8.RuneLen(r)
	}
	for at < i && !wordRune(s.after(at)) {
		at++
	}
	end = s.run(i+1, ".-")
	for end > i+1 && strings.IndexByte(".-", s.text[end-1]) >= 0 {
		end--
	}
	if at == i || s.byteAt(i-1) == '.' {
		return 0, 0
	}
	host := s.text[i+1 : end]
	dot := strings.LastIndexByte(host, '.')
	if dot < 1 || strings.Contains(host, "..") || host[0] == '-' || utf8.RuneCountInString(host[dot+1:]) < 2 || strings.ContainsAny(host[dot+1:], "0123456789-") {
		return 0, 0
	}
	return at, end
}

// mention finds <@U…>, <@U…|name> and @name at the @ at i.
func (s *scanned) mention(i int) (at, end int) {
	if s.byteAt(i-1) == '<' {
		j := s.run(i+1, "")
		if j-i < 3 {
			return 0, 0
		}
		if s.byteAt(j) == '|' {
			k := strings.IndexAny(s.text[j:min(len(s.text), j+120)], ">\n")
			if k < 0 {
				return 0, 0
			}
			j += k
		}
		if s.byteAt(j) != '>' {
			return 0, 0
		}
		return i - 1, j + 1
	}
	if r := s.before(i); wordRune(r) || strings.ContainsRune("._-/@", r) && r != 0 || !unicode.IsLetter(s.after(i+1)) {
		return 0, 0
	}
	end = s.run(i+1, "._-")
	for strings.IndexByte("._-", s.text[end-1]) >= 0 {
		end--
	}
	name := fold(s.text[i+1 : end])
	if nobodys[name] || siteTails[name[strings.LastIndexByte(name, '.')+1:]] && strings.Contains(name, ".") {
		return 0, 0
	}
	return i, end
}

var (
	// wordNames are words that people also carry as a name. They only count as one with a capital inside a sentence, where
	// nothing else explains the capital.
	wordNames = setOf("wil roos floor storm bas job merel iris linde jasmijn mark rob max ster sterre stern wolf beer puck ties joy faith hope grace " +
		"mees madelief heide hazel ivy april june mei augustus august juni zondag maandag vrijdag luna nova maan zon noor fleur peer lot ton els " +
		"bloem berg bos dijk groen groene wit witte zwart zwarte bruin bakker visser smit smid mulder molenaar kuiper timmerman schipper boer koning keizer " +
		"prins graaf post hof poort brug sluis haven water meer beek vliet ven heuvel duin zand veen polder kerk kok slager schilder jager wever bode meester " +
		"schut kleine klein lang groot jong oud sterk vos haas haan mol kat hond vogel valk mus spreeuw zomer winter herfst lente balie team handhaving " +
		"beheer dienst brugwachter toezicht bill will art frank rich jack pat sue rose may dawn drew chase hunter young king baker smith cook green brown white " +
		"black woods hill field banks bush page price long short day rain stone ford lake wood wild park " +
		"stoop kamp dam zee bank kap borst hart arts piek blok plank kruis ruiter dekker bouwman straat straten weg laan veld wal wind vries brand snijder kramer koster")
	// onlyWords are too common with a capital to be anybody's name alone.
	onlyWords = setOf("mei april juni augustus maandag vrijdag zondag june april may august brug sluis team handhaving balie toezicht beheer dienst de van den der ter")
	particles = setOf("van de der den ter ten te t op het el al ben bin von la le du di da dos y")
)

// memberName is one way in which somebody of the channel may be named: words that follow each other.
type memberName struct {
	words []string
	// capital: the last word has to have one; inside: and it has to stand within a sentence.
	capital, inside bool
}

// memberNames gives the ways to name somebody with this display name: in full, by the first name, by the family name.
func memberNames(display string) []memberName {
	for _, cut := range []string{"(", "[", "|", " - ", "/", " @ "} {
		display, _, _ = strings.Cut(display, cut)
	}
	if family, given, ok := strings.Cut(display, ","); ok {
		display = given + " " + family
	}
	var parts [][]string // words between spaces; Jan-Willem is one part with two words
	for _, field := range strings.FieldsFunc(display, func(r rune) bool { return unicode.IsSpace(r) || r == '.' || r == '_' }) {
		var part []string
		for _, w := range words(field) {
			if !isNumber(w.fold) {
				part = append(part, w.fold)
			}
		}
		if len(part) > 0 {
			parts = append(parts, part)
		}
	}
	if len(parts) == 0 || len(parts) > 8 {
		return nil
	}
	var all []string
	common := true
	for _, p := range parts {
		all = append(all, p...)
		for _, w := range p {
			common = common && (wordNames[w] || particles[w])
		}
	}
	var out []memberName
	if len(all) > 1 {
		out = append(out, memberName{words: all, capital: common})
	}
	alone := func(part []string) {
		last := part[len(part)-1]
		letters := utf8.RuneCountInString(strings.Join(part, ""))
		if letters < 3 || len(part) == 1 && onlyWords[last] {
			return
		}
		out = append(out, memberName{part, true, len(part) == 1 && wordNames[last]})
	}
	first := parts[0]
	if !particles[first[0]] {
		alone(first)
	}
	if family := familyName(parts); len(family) > 0 {
		alone(family)
	}
	return out
}

// familyName gives the last name with the small words before it: van den berg.
func familyName(parts [][]string) []string {
	if len(parts) < 2 {
		return nil
	}
	i := len(parts) - 1
	for i > 1 && len(parts[i-1]) == 1 && particles[parts[i-1][0]] {
		i--
	}
	family := slices.Concat(parts[i:]...)
	if len(family) == 1 && utf8.RuneCountInString(family[0]) < 4 {
		return nil
	}
	return family
}

func isNumber(s string) bool { return strings.Trim(s, "0123456789") == "" }

// names finds members, names behind a title and words about health, union and belief.
func (s *scanned) names(members []string, add func(HintKind, int, int)) {
	known := map[string][]memberName{}
	for _, m := range members {
		for _, n := range memberNames(m) {
			known[n.words[0]] = append(known[n.words[0]], n)
		}
	}
	for i, w := range s.words {
		for _, first := range []string{w.fold, strings.TrimSuffix(w.fold, "s")} { // Achmeds
			for _, n := range known[first] {
				if end := s.member(i, n, len(w.fold)-len(first)); end > 0 {
					add(HintMember, w.at, end)
				}
			}
			if !strings.HasSuffix(w.fold, "s") {
				break
			}
		}
		if at, end := s.titled(i); end > 0 {
			add(HintName, at, end)
		}
		if kind, end := s.sensitive(i); end > 0 {
			add(kind, w.at, end)
		}
	}
}

// member says where the name ends that begins at word i, or 0. genitive is the length of an s behind a name of one word.
func (s *scanned) member(i int, n memberName, genitive int) int {
	if i+len(n.words) > len(s.words) || genitive > 0 && len(n.words) > 1 {
		return 0
	}
	last := s.words[i+len(n.words)-1]
	for k, want := range n.words {
		w := s.words[i+k]
		got := strings.TrimSuffix(w.fold, "s")
		if genitive == 0 {
			got = w.fold
			if len(n.words) > 1 && k == len(n.words)-1 && got == want+"s" {
				got, genitive = want, 1
			}
		}
		if got != want || k > 0 && !s.near(s.words[i+k-1], w) {
			return 0
		}
	}
	if n.capital {
		letter := s.after(last.at)
		if !unicode.IsUpper(letter) {
			return 0
		}
		if n.inside && (s.loud(last) || s.opens(i) && !s.speaks(i+1)) {
			return 0
		}
	}
	return last.end - genitive
}

// near says whether two words may belong to one name: a space, a dash, an apostrophe or the dot of an initial between them.
func (s *scanned) near(a, b word) bool {
	gap := s.text[a.end:b.at]
	return len(gap) <= 3 && strings.Trim(gap, " -'._") == "" && gap != ""
}

// loud says whether a word stands in capitals as a whole.
func (s *scanned) loud(w word) bool {
	text := s.text[w.at:w.end]
	return utf8.RuneCountInString(text) > 1 && strings.ToUpper(text) == text && strings.ToLower(text) != text
}

// personVerbs follow a name: only people do so.
var personVerbs = setOf("zei zegt vindt vond denkt dacht belt belde vroeg vraagt weet wist snapt riep says said thinks thought knows knew asked told lets")

// speaks says whether word i is a verb that only people do.
func (s *scanned) speaks(i int) bool {
	return i < len(s.words) && s.near(s.words[i-1], s.words[i]) &&
		personVerbs[s.words[i].fold]
}

// opens says whether word i is the first of a sentence or line, where every word has a capital.
func (s *scanned) opens(i int) bool {
	if i == 0 {
		return true
	}
	return strings.ContainsAny(s.text[s.words[i-1].end:s.words[i].at], ".?!:;\n\"(*•>")
}

var (
	titles = setOf("mevrouw meneer mijnheer heer juffrouw juf wethouder burgemeester familie dokter professor dominee pastoor imam zuster " +
		"councillor alderman mayor mister miss doctor mw mevr mvr dhr fam dr drs ir ing prof mr mrs ms")
	shortTitles = setOf("mw mevr mvr dhr fam dr drs ir ing prof mr mrs ms")
	roles       = setOf("collega buurman buurvrouw gedetineerde bewoner bewoonster schipper client melder")
	// noName are words with a capital behind a title that name nobody: they open a sentence, or are an office or a portfolio.
	noName = setOf("ik hij zij ze wij we jij je u men die dat dit deze dan toen en maar als of om in op aan met voor van naar bij uit over het de een er is was wil " +
		"wat wie waar hoe morgen vandaag gisteren nu niet geen mijn zijn haar ons onze alle alles iedereen the this that he she it they you and but " +
		"voorzitter burgemeester wethouder rechter officier minister directeur agent president commissaris pastoor dokter dominee secretaris raadslid " +
		"sport wonen financien verkeer zorg cultuur onderwijs ruimte groen jeugd werk economie veiligheid mobiliteit klimaat milieu duurzaamheid sociale bouwen " +
		"energie media handhaving boa piw gemeente nederland belgie duitsland europa amsterdam rotterdam utrecht")
)

// titled finds the name behind the title at word i: small words and initials first, then up to three words with a capital.
// Only the name is the hint, so that the title may stay.
func (s *scanned) titled(i int) (at, end int) {
	w := s.words[i]
	role := roles[w.fold]
	if !role && !titles[w.fold] || !role && !s.isTitle(i) {
		return 0, 0
	}
	loudTitle := s.loud(w)
	k := i
	for { // prof. dr.
		gap := " "
		if k+1 >= len(s.words) {
			return 0, 0
		}
		if shortTitles[s.words[k].fold] {
			gap = ". "
		}
		between := s.text[s.words[k].end:s.words[k+1].at]
		if between == "" || len(between) > 3 || strings.Trim(between, gap) != "" {
			return 0, 0
		}
		k++
		if !shortTitles[s.words[k].fold] {
			break
		}
	}
	at = s.words[k].at
	names := 0
	for first := k; k < len(s.words) && k-first < 8 && names < 3; k++ {
		w, text := s.words[k], s.text[s.words[k].at:s.words[k].end]
		if k > first {
			gap := s.text[s.words[k-1].end:w.at]
			initial := utf8.RuneCountInString(s.text[s.words[k-1].at:s.words[k-1].end]) == 1
			if gap != " " && gap != "-" && gap != "'" && gap != " '" && (!initial || gap != "." && gap != ". ") {
				break
			}
		}
		capital := unicode.IsUpper(s.after(w.at))
		switch {
		case particles[w.fold]: // part of the name if a capital follows
		case !capital || isNumber(w.fold) || noName[w.fold] && names == 0:
			return at, s.noStreet(at, end)
		case utf8.RuneCountInString(text) == 1: // an initial
		case s.loud(w) && (loudTitle || role):
			return 0, 0
		case noName[w.fold]:
			return at, s.noStreet(at, end)
		default:
			names++
			end = w.end
		}
	}
	return at, s.noStreet(at, end)
}

// placeEnds are the ends of names of places: burgemeester Proeflaan is one.
const placeEnds = streets + " school brug tunnel sluis haven viaduct square bridge"

// noStreet gives end, or 0 if the name between at and end is that of a street, a bridge, a school.
func (s *scanned) noStreet(at, end int) int {
	name := fold(s.text[at:max(at, end)])
	for tail := range strings.FieldsSeq(placeEnds) {
		if strings.HasSuffix(name, tail) {
			return 0
		}
	}
	return end
}

// isTitle keeps apart what only looks like a title: 3 MW, the ship ms Zonneschijn.
func (s *scanned) isTitle(i int) bool {
	w := s.words[i]
	text := s.text[w.at:w.end]
	switch w.fold {
	case "mw", "ir":
		return i == 0 || !isNumber(s.words[i-1].fold) || !s.near(s.words[i-1], w)
	case "ms", "ing":
		return text == "Ms" || text == "ing" || text == "Ing"
	}
	return true
}

var (
	healthWords = setOf("kanker borstkanker longkanker darmkanker prostaatkanker leukemie burnout depressief depressieve zwanger zwangere zwangerschap miskraam " +
		"autisme autistisch autistische ptss adhd psychose psychotisch psychotische verslaafd verslaafde dementie dement alzheimer hartinfarct herseninfarct " +
		"beroerte tumor chemotherapie diabetes suikerziekte epilepsie epileptisch hiv aids hepatitis schizofreen schizofrenie bipolair borderline anorexia " +
		"antidepressiva reuma parkinson cancer pregnant pregnancy miscarriage autism autistic ptsd psychotic psychosis addicted dementia leukaemia stroke epilepsy " +
		"schizophrenic bipolar depressed alcoholist alcoholiste alcoholic")
	unionWords = setOf("vakbond vakbonden vakbondslid vakbondsman vakbondsvrouw bondslid bondsleden kaderlid kaderleden fnv cnv abvakabo juvox")
	beliefs    = setOf("moslim moslims moslima christen christenen jood joden joods hindoe hindoes boeddhist katholiek protestant protestants gereformeerd hervormd jehova " +
		"jehovas atheist islamiet muslim muslims jewish jew catholic hindu buddhist sikh christian")
	// unionOwners stand before the English word union when it is a trade union.
	unionOwners = setOf("is was the our my his her")
	// sicknessOf are words before kanker that make it somebody's; without one it is a curse, or a tree's.
	sicknessOf = setOf("heeft had heb hebt hebben kreeg krijgt krijg aan met van tegen door is zijn haar mijn geen wel")
)

// sensitive finds a word about somebody's health, union or belief at word i.
func (s *scanned) sensitive(i int) (HintKind, int) {
	w := s.words[i]
	next, previous := "", ""
	if i+1 < len(s.words) && s.near(w, s.words[i+1]) {
		next = s.words[i+1].fold
	}
	if i > 0 && s.near(s.words[i-1], w) {
		previous = s.words[i-1].fold
	}
	switch {
	case w.fold == "kanker" && !sicknessOf[previous]:
	case w.fold == "aids" && s.text[w.at] == 'a', w.fold == "stroke" && previous != "a":
	case healthWords[w.fold]:
		return HintHealth, w.end
	case w.fold == "burn" && next == "out":
		return HintHealth, s.words[i+1].end
	case unionWords[w.fold]:
		return HintUnion, w.end
	case w.fold == "bond" && previous == "de":
		return HintUnion, w.end
	case w.fold == "union" && next != "of" && unionOwners[previous]:
		return HintUnion, w.end
	case w.fold == "trade" && next == "union", w.fold == "union" && (next == "member" || next == "rep"):
		return HintUnion, s.words[i+1].end
	case beliefs[w.fold] && next != "school" && next != "kerk" && next != "church":
		return HintReligion, w.end
	}
	return "", 0
}
