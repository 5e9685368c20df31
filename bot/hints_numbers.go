package bot

import (
	"slices"
	"strings"
)

// numbers runs the detectors of what begins with a digit, a plus, a bracket or a capital code. Each looks at most some
// sixty bytes ahead, so that the work grows with the text and no faster.
func (s *scanned) numbers(add func(HintKind, int, int)) {
	detectors := []struct {
		kind HintKind
		find func(int) (at, end int)
	}{{HintIBAN, s.iban}, {HintPhone, s.phone}, {HintBSN, s.bsn}, {HintCase, s.caseNumber}, {HintPlate, s.plate}}
	digit := -1 // the next one at or behind i
	for i := range len(s.text) {
		c := s.low[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && c != '+' && c != '(' {
			continue
		}
		for digit < i || digit < len(s.text) && !s.digit(digit) {
			digit = max(digit+1, i)
		}
		if c >= 'a' && c <= 'z' && digit >= i+startsIn || wordRune(s.before(i)) {
			continue
		}
		for _, d := range detectors {
			if at, end := d.find(i); end > 0 {
				add(d.kind, at, end)
			}
		}
		if kind, at, end := s.postcode(i); end > 0 {
			add(kind, at, end)
		}
	}
	for i, w := range s.words {
		if at, end := s.labelled(i, w); end > 0 {
			add(HintCase, at, end)
		}
	}
}

// startsIn is within how many characters everything that begins with a letter has its first digit: a plate has eight.
const startsIn = 8

// continues says whether what stands before i belongs to one longer number or code: 12.345, A-12, € 12.
func (s *scanned) continues(i int) bool {
	c := s.byteAt(i - 1)
	return strings.IndexByte(".,-/+:", c) >= 0 && i > 1 && s.digit(i-2) || c == '-' && i > 1 && wordRune(s.before(i-1)) ||
		strings.HasSuffix(strings.TrimRight(s.text[max(0, i-6):i], " "), "€")
}

// goesOn says whether the number that ends at end goes on: 12,50 or 12-AB or 10:30.
func (s *scanned) goesOn(end int) bool {
	if wordRune(s.after(end)) {
		return true
	}
	switch s.byteAt(end) {
	case '.', ',', ':':
		return s.digit(end + 1)
	case '-':
		return wordRune(s.after(end + 1))
	case '/':
		return s.digit(end + 1)
	}
	return false
}

// next gives the word behind end when only one space or sign lies between, in small letters.
func (s *scanned) next(end int) string {
	rest := strings.TrimLeft(s.low[end:min(end+24, len(s.low))], " ")
	return rest[:len(rest)-len(strings.TrimLeftFunc(rest, wordRune))]
}

var (
	units = setOf("euro euros eur km kilometer m meter m2 m3 mm cm gram kg kilo ton liter graden uur u keer x stuks man mensen minuten min dagen " +
		"weken maanden jaar procent huizen woningen hours times people minutes days weeks")
	otherNumbers = setOf("mmsi eni imo kvk rsin btw artikelnummer ordernummer factuurnummer serienummer")
)

// bsn finds a citizen service number: eight or nine digits, in one piece or in groups, that pass the eleven test. Eight
// only count where the text says what they are.
func (s *scanned) bsn(i int) (at, end int) {
	if !s.digit(i) || s.continues(i) {
		return 0, 0
	}
	var number []byte
	var between byte
	groups, j := 0, i
	for {
		n := s.digits(j, 9)
		if n > 9 || len(number)+n > 9 {
			return 0, 0
		}
		number = append(number, s.text[j:j+n]...)
		groups++
		j += n
		if len(number) == 9 || len(number) == 8 && !s.joined(j, between) {
			break
		}
		if n == 1 || !s.joined(j, between) {
			return 0, 0
		}
		between = s.text[j]
		j++
	}
	if s.goesOn(j) || groups > 1 && s.joined(j, between) || len(number) == 8 && !s.called(i, j) || s.otherNumber(i) || units[s.next(j)] {
		return 0, 0
	}
	if !elevenTest(number) {
		return 0, 0
	}
	return i, j
}

// joined says whether a dot or space, the same as between if that is set, and then a digit follow at j.
func (s *scanned) joined(j int, between byte) bool {
	c := s.byteAt(j)
	return (c == '.' || c == ' ') && (between == 0 || c == between) && s.digit(j+1)
}

// called says whether the text around a number speaks of a citizen service number.
func (s *scanned) called(at, end int) bool {
	around := s.low[max(0, at-40):min(len(s.low), end+24)]
	for _, w := range []string{"bsn", "burgerservice", "burger service", "sofinummer", "citizen service", "citizen number"} {
		if strings.Contains(around, w) {
			return true
		}
	}
	return false
}

// otherNumber says whether the text before a number calls it something that is nobody's.
func (s *scanned) otherNumber(at int) bool {
	before := strings.FieldsFunc(s.low[max(0, at-24):at], func(r rune) bool { return !wordRune(r) })
	for _, w := range before[max(0, len(before)-2):] {
		if otherNumbers[w] {
			return true
		}
	}
	return false
}

// elevenTest weighs eight or nine digits with 9 to 2 and -1.
func elevenTest(number []byte) bool {
	sum, nonzero := 0, false
	for i, c := range number {
		weight := len(number) - i // a missing first digit is a nought
		if weight == 1 {
			weight = -1
		}
		sum += weight * int(c-'0')
		nonzero = nonzero || c != '0'
	}
	return nonzero && sum%11 == 0
}

// ibanLengths holds the length of an account number for each country of the registry.
const ibanLengths = " AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 FI18 " +
	"FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 " +
	"MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 " +
	"ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30 "

// iban finds an account number: a known country, its length, and a check of 1 modulo 97. Groups may stand apart; what
// follows the last character is not part of it.
func (s *scanned) iban(i int) (at, end int) {
	if i+4 > len(s.text) || s.byteAt(i+2) < '0' || !s.digit(i+3) || !s.digit(i+2) || s.byteAt(i-1) == '-' {
		return 0, 0
	}
	upper := s.text[i] <= 'Z'
	letter := func(c byte) bool { return upper && c >= 'A' && c <= 'Z' || !upper && c >= 'a' && c <= 'z' }
	if !letter(s.text[i]) || !letter(s.text[i+1]) {
		return 0, 0
	}
	k := strings.Index(ibanLengths, " "+strings.ToUpper(s.text[i:i+2]))
	if k < 0 {
		return 0, 0
	}
	length := int(ibanLengths[k+3]-'0')*10 + int(ibanLengths[k+4]-'0')
	var code []byte
	digits, j := 0, i
	for len(code) < length {
		c := s.byteAt(j)
		switch {
		case c >= '0' && c <= '9':
			digits++
		case letter(c):
			c = strings.ToUpper(s.text[j : j+1])[0]
		case (c == ' ' || c == '-' || c == '.') && len(code) > 3 && s.byteAt(j-1) != c:
			j++
			continue
		default:
			return 0, 0
		}
		code = append(code, c)
		j++
	}
	if wordRune(s.after(j)) || digits < 8 || string(code[:2]) == "NL" && !bban(code[4:]) {
		return 0, 0
	}
	rest := 0
	for _, c := range slices.Concat(code[4:], code[:4]) {
		if c >= 'A' {
			rest = (rest*100 + int(c-'A') + 10) % 97
		} else {
			rest = (rest*10 + int(c-'0')) % 97
		}
	}
	if rest != 1 {
		return 0, 0
	}
	return i, j
}

// bban says whether the Dutch part has four letters and ten digits.
func bban(code []byte) bool {
	for i, c := range code {
		if (i < 4) != (c >= 'A') {
			return false
		}
	}
	return true
}

// areaCodes are the Dutch ones; 06 is a mobile phone. 0800 and 0900 belong to nobody.
var areaCodes = setOf("06 010 013 014 015 020 023 024 026 030 033 035 036 038 040 043 045 046 050 053 055 058 070 071 072 073 074 075 076 077 078 079 " +
	"084 085 087 088 091 0111 0113 0114 0115 0117 0118 0161 0162 0164 0165 0166 0167 0168 0172 0174 0180 0181 0182 0183 0184 0186 0187 0222 " +
	"0223 0224 0226 0227 0228 0229 0251 0252 0255 0294 0297 0299 0313 0314 0315 0316 0317 0318 0320 0321 0341 0342 0343 0344 0345 0346 0347 " +
	"0348 0411 0412 0413 0416 0418 0475 0478 0481 0485 0486 0487 0488 0492 0493 0495 0497 0499 0511 0512 0513 0514 0515 0516 0517 0518 0519 " +
	"0521 0522 0523 0524 0525 0527 0528 0529 0541 0543 0544 0545 0546 0547 0548 0561 0562 0566 0570 0571 0572 0573 0575 0577 0578 0591 0592 " +
	"0593 0594 0595 0596 0597 0598 0599")

// phone finds a phone number that begins at i: 06, an area code, +31, 0031 or another country behind a plus.
func (s *scanned) phone(i int) (at, end int) {
	c := s.text[i]
	if c != '+' && c != '0' && (c != '(' || s.byteAt(i+1) != '0' && s.byteAt(i+1) != '+') || s.continues(i) || s.otherNumber(i) {
		return 0, 0
	}
	switch {
	case c == '+' && strings.HasPrefix(s.text[i:], "+31"):
		end = s.abroad(i + 3)
	case strings.HasPrefix(s.text[i:], "0031"):
		end = s.abroad(i + 4)
	case c == '+':
		end = s.foreign(i + 1)
	case strings.HasPrefix(s.text[i:], "(+31)"):
		end = s.abroad(i + 5)
	default:
		end = s.national(i, "")
	}
	if end == 0 || s.goesOn(end) || s.byteAt(end) == '-' && s.digit(end+1) {
		return 0, 0
	}
	return i, end
}

// abroad reads the nine digits behind +31, with a nought between brackets or not.
func (s *scanned) abroad(i int) int {
	for _, skip := range []string{" (0) ", " (0)", "(0) ", "(0)-", "(0)", " - ", " ", "-", "."} {
		if strings.HasPrefix(s.text[i:], skip) {
			i += len(skip)
			break
		}
	}
	if s.digit(i) && s.text[i] == '0' { // +31 06…
		return s.national(i, "")
	}
	return s.national(i, "0")
}

// national reads ten digits, the first of which may be understood, and gives their end. The area code stands apart or in
// brackets, the rest is in groups with one kind of separator, so that dates and times are none.
func (s *scanned) national(i int, understood string) int {
	number := append(make([]byte, 0, 10), understood...)
	var sizes []int
	var seps []string
	bracket := s.byteAt(i) == '('
	if bracket {
		i++
	}
	for {
		n := min(s.digits(i, 10), 10-len(number))
		if n == 0 {
			return 0
		}
		number = append(number, s.text[i:i+n]...)
		sizes = append(sizes, n)
		i += n
		if len(number) == 10 {
			break
		}
		sep := ""
		for _, p := range []string{") - ", ")-", ") ", ")", " - ", " ", "-", ".", "/"} {
			if strings.HasPrefix(s.text[i:], p) {
				sep = p
				break
			}
		}
		if sep == "" || (sep[0] == ')') != (bracket && len(seps) == 0) {
			return 0
		}
		seps = append(seps, sep)
		i += len(sep)
	}
	sizes[0] += len(understood)
	for k := 3; k >= 1; k-- { // 0341 before 034
		if code := string(number[:k+1]); areaCodes[code] {
			if s.digit(i) || !phoneGroups(len(code), sizes, seps) {
				return 0
			}
			return i
		}
	}
	return 0
}

// phoneGroups says whether people write a number of ten digits in such groups.
func phoneGroups(area int, sizes []int, seps []string) bool {
	rest := sizes[1:]
	switch {
	case len(rest) == 0:
		return true
	case sizes[0] == area:
	case sizes[0] == 4 && area == 2: // 0612 345678
		if !slices.Contains([]int{1, 2, 3}, len(rest)) || slices.Min(rest) != slices.Max(rest) || seps[0] == " - " {
			return false
		}
	default:
		return false
	}
	for k, sep := range seps[1:] {
		if sep != seps[1] && k > 0 || len(sep) > 1 || sep == "/" {
			return false
		}
	}
	if seps[0] == "." && len(seps) > 1 && seps[1] != "." {
		return false
	}
	return slices.Min(rest) > 1 && (len(rest) < 3 || rest[1] < 4)
}

// foreign reads a number behind a plus that is not Dutch: nine to fifteen digits.
func (s *scanned) foreign(i int) int {
	if !s.digit(i) || s.text[i] == '0' {
		return 0
	}
	count, end := 0, 0
	for {
		n := s.digits(i, 15)
		count += n
		end = i + n
		if n == 0 || count > 15 {
			return 0
		}
		skip := 0
		for _, p := range []string{" (0) ", " (0)", "(0)", " (", ") ", " ", "-", ".", "/"} {
			if strings.HasPrefix(s.text[end:], p) && s.digit(end+len(p)) {
				skip = len(p)
				break
			}
		}
		if skip == 0 {
			break
		}
		i = end + skip
	}
	if count < 9 {
		return 0
	}
	return end
}

// plateShapes are the Dutch side codes; L is a letter, 9 a digit.
var plateShapes = setOf("LL-99-99 99-99-LL 99-LL-99 LL-99-LL LL-LL-99 99-LL-LL 99-LLL-9 9-LLL-99 LL-999-L L-999-LL LLL-99-L L-99-LLL 9-LL-999 999-LL-9")

// noPlate are months, units and small words that stand between numbers in capitals or without a vowel.
var noPlate = setOf("JAN FEB MRT APR MEI MAY JUN JUL AUG SEP OKT OCT NOV DEC TOT VAN OF OP EN IN KM CM MM KG ST NR HR TH")

// smallWords have two letters and stand between numbers: 24-op-24.
var smallWords = setOf("of op en in te al af na om is er ik je ze we de za zo tm ma di wo do vr nu ja as at or to by an no us")

// plate finds a licence plate. In small letters it is no small word and, with three letters, has no vowel, as on all plates
// of the last decades: 1-tot-10 is none.
func (s *scanned) plate(i int) (at, end int) {
	if s.byteAt(i-1) == '-' || s.byteAt(i) == '+' || s.byteAt(i) == '(' {
		return 0, 0
	}
	var shape, letters []byte
	j := i
	for len(shape) < 8 {
		switch c := s.byteAt(j); {
		case c >= '0' && c <= '9':
			shape = append(shape, '9')
		case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z':
			shape, letters = append(shape, 'L'), append(letters, c)
		case c == '-':
			shape = append(shape, '-')
		default:
			return 0, 0
		}
		j++
	}
	if !plateShapes[string(shape)] || wordRune(s.after(j)) || s.byteAt(j) == '-' && wordRune(s.after(j+1)) {
		return 0, 0
	}
	big := strings.ToUpper(string(letters))
	small := strings.ToLower(string(letters)) == string(letters)
	if noPlate[big] || big != string(letters) && !small || small && (len(big) == 3 && strings.ContainsAny(big, "AEIOU") || smallWords[string(letters)]) {
		return 0, 0
	}
	return i, j
}

var (
	noPostcode  = setOf("SA SD SS KG KM CM MM PK KW HL")
	noPostSmall = setOf("st nd rd th de en om of in op te kg km cm mm pk kw hl x")
	houseLabels = setOf("nr no nummer huisnummer huisnr hnr number")
)

// postcode finds a postcode, in capitals; with a house number behind it, or a street and number before it, it is an
// address. Without a space it may also be in small letters when there is a number.
func (s *scanned) postcode(i int) (kind HintKind, at, end int) {
	if !s.digit(i) || s.text[i] == '0' || s.digits(i, 4) != 4 || s.continues(i) {
		return "", 0, 0
	}
	j := i + 4
	apart := s.byteAt(j) == ' '
	if apart {
		j++
	}
	if j+2 > len(s.text) || wordRune(s.after(j+2)) {
		return "", 0, 0
	}
	pair := s.text[j : j+2]
	big := pair[0] >= 'A' && pair[0] <= 'Z' && pair[1] >= 'A' && pair[1] <= 'Z'
	small := !apart && pair[0] >= 'a' && pair[0] <= 'z' && pair[1] >= 'a' && pair[1] <= 'z'
	if !big && !small || noPostcode[pair] || small && noPostSmall[pair] {
		return "", 0, 0
	}
	j += 2
	if at := s.street(i); at >= 0 {
		return HintAddress, at, j
	}
	end = s.houseNumber(j)
	switch {
	case noPostSmall[strings.ToLower(pair)] && s.byteAt(j) == ' ' && s.digits(j+1, 4) == 4: // 2024 EN 2025
		return "", 0, 0
	case end > 0:
		return HintAddress, i, end
	case small:
		return "", 0, 0
	}
	return HintPostcode, i, j
}

// houseNumber gives the end of the house number behind a postcode that ends at i, or 0.
func (s *scanned) houseNumber(i int) int {
	j := i
	for s.byteAt(j) == ' ' || s.byteAt(j) == ',' {
		j++
	}
	if w := s.next(j); houseLabels[w] {
		j += len(w)
		for s.byteAt(j) == ' ' || s.byteAt(j) == '.' || s.byteAt(j) == ':' {
			j++
		}
	}
	n := s.digits(j, 5)
	if j == i || j-i > 16 || n == 0 || n > 5 || s.text[j] == '0' {
		return 0
	}
	end := s.suffix(j + n)
	if end == 0 || s.byteAt(end) == ':' && s.digit(end+1) || (s.byteAt(end) == '.' || s.byteAt(end) == ',') && s.digit(end+1) || units[s.next(end)] || s.byteAt(end) == '%' {
		return 0
	}
	return end
}

// suffix gives the end of the addition to a house number that ends at i: 7a, 3-bis, 33-2, 12 a. It is 0 when that is no number.
func (s *scanned) suffix(i int) int {
	if s.byteAt(i) == '-' && wordRune(s.after(i+1)) {
		j := i + 1
		for j-i <= 4 && j < len(s.text) && wordRune(s.after(j)) && s.text[j] < 0x80 {
			j++
		}
		if j < len(s.text) && wordRune(s.after(j)) {
			return 0
		}
		return j
	}
	letter := func(i int) bool { c := s.byteAt(i) | 0x20; return c >= 'a' && c <= 'z' }
	switch {
	case letter(i):
		i++
	case s.byteAt(i) == ' ' && letter(i+1) && strings.IndexByte("\x00\n,.)", s.byteAt(i+2)) >= 0: // 12 a
		i += 2
	}
	if wordRune(s.after(i)) {
		return 0
	}
	return i
}

// streets are the ends of street names.
const streets = "straat str weg laan plein kade dijk singel gracht hof dreef pad steeg park markt wal ring baan kamp veld plantsoen erf street road lane avenue"

// street gives where a street and house number begin that stand right before i, or -1.
func (s *scanned) street(i int) int {
	before := strings.TrimRight(s.low[max(0, i-80):i], " ,\n")
	if i-max(0, i-80)-len(before) > 3 || len(before) == i-max(0, i-80) {
		return -1
	}
	k := strings.LastIndexByte(before, ' ')
	if k < 0 || !startsWithDigit(before[k+1:]) || len(before)-k > 8 {
		return -1
	}
	name := before[:k]
	name = name[strings.LastIndexAny(name, " \n")+1:]
	for street := range strings.FieldsSeq(streets) {
		if strings.HasSuffix(strings.TrimSuffix(name, "."), street) {
			at := max(0, i-80) + k - len(name)
			if wordRune(s.before(at)) {
				return -1
			}
			return s.streetName(at)
		}
	}
	return -1
}

// streetName gives where the small words before a street's name begin, if the first has a capital: Van der …
func (s *scanned) streetName(at int) int {
	name := at
	for k := at; ; {
		before := strings.TrimSuffix(s.text[:k], " ")
		w := before[strings.LastIndexAny(before, " \n")+1:]
		if len(before) != k-1 || !particles[strings.ToLower(w)] {
			return name
		}
		k = len(before) - len(w)
		if w[0] < 'a' {
			name = k
		}
	}
}

func startsWithDigit(s string) bool { return s != "" && s[0] >= '1' && s[0] <= '9' }

// caseNumber finds the shapes that Dutch registries give: Z/22/123456, 2023-004512, 10/123456-22.
func (s *scanned) caseNumber(i int) (at, end int) {
	c := s.low[i]
	if c != 'z' && !s.digit(i) || s.continues(i) {
		return 0, 0
	}
	dash := func(j int) bool { return s.byteAt(j) == '-' || s.byteAt(j) == '/' }
	j, n := i, 0
	switch {
	case c == 'z':
		j++
		if dash(j) {
			j++
		}
		if n = s.digits(j, 4); n != 2 && n != 4 || !dash(j+n) {
			return 0, 0
		}
		j += n + 1
		n = s.digits(j, 9)
		if n < 4 || n > 9 {
			return 0, 0
		}
	case s.digits(i, 4) == 4 && (strings.HasPrefix(s.text[i:], "19") || strings.HasPrefix(s.text[i:], "20")) && dash(i+4):
		j = i + 5
		n = s.digits(j, 9)
		if n < 5 || n > 9 {
			return 0, 0
		}
	case s.digits(i, 2) == 2 && dash(i+2) && s.digits(i+3, 6) == 6 && dash(i+9):
		j = i + 10
		if n = s.digits(j, 2); n != 2 {
			return 0, 0
		}
	default:
		return 0, 0
	}
	j += n
	if s.goesOn(j) || dash(j) && wordRune(s.after(j+1)) {
		return 0, 0
	}
	return i, j
}

var (
	// caseLabels announce a number of somebody's case or file; behind caseWords only a long number is one.
	caseLabels = setOf("zaaknummer zaaknr dossiernummer dossiernr parketnummer parketnr pvnummer pvnr skn sknnummer vnummer clientnummer clientnr klantnummer " +
		"meldingsnummer meldingnummer meldnummer registratienummer aanvraagnummer bezwaarnummer casenummer casenr")
	caseWords   = setOf("zaak dossier kenmerk pv verbaal melding case file parket skn v client klant registratie")
	caseFillers = setOf("nummer nr no number is was zijn")
)

// labelled finds a number that the word at w calls a case number, a file number and the like.
func (s *scanned) labelled(i int, w word) (at, end int) {
	need := 0
	switch {
	case caseLabels[w.fold]:
		need = 4
	case caseWords[w.fold]:
		need = 5
		if w.fold == "v" || w.fold == "client" || w.fold == "klant" || w.fold == "registratie" || w.fold == "file" {
			need = 99 // only as v-nummer, file number
		}
	default:
		return 0, 0
	}
	end = w.end
	for range 3 {
		i++
		if i >= len(s.words) {
			return 0, 0
		}
		next := s.words[i]
		if strings.Trim(s.text[end:next.at], " .:-#=") != "" || next.at-end > 4 {
			return 0, 0
		}
		if !caseFillers[next.fold] {
			break
		}
		if strings.HasPrefix(next.fold, "n") {
			need = 4
		}
		end = next.end
	}
	at = s.words[i].at
	end = at
	digits := 0
	for end < len(s.text) && end-at < 40 && (wordRune(s.after(end)) || strings.IndexByte("./-", s.text[end]) >= 0) {
		if s.digit(end) {
			digits++
		}
		end += len(string(s.after(end)))
	}
	value := strings.TrimRight(s.text[at:end], "./-")
	if digits < need || dateLike(value) || units[s.next(at+len(value))] {
		return 0, 0
	}
	return at, at + len(value)
}

// dateLike says whether value is a day or a stretch of years.
func dateLike(value string) bool {
	parts := strings.FieldsFunc(value, func(r rune) bool { return r == '-' || r == '/' || r == '.' })
	for _, p := range parts {
		if len(p) != 2 && (len(p) != 4 || p[:2] != "19" && p[:2] != "20") && len(p) != 1 || strings.Trim(p, "0123456789") != "" {
			return false
		}
	}
	return true
}
