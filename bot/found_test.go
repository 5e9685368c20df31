package bot_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weerklank/weerklank/prompts"
)

// TestFound searches every place at every moment, tries every copy, and keeps what it finds in docs/found.md and
// docs/gevonden.md, for who must judge whether the promise holds. It fails when reality differs from the page; write the
// page anew with -update, and read it.
func TestFound(t *testing.T) {
	rows, left := forensic(t, false)
	again, leftAgain := forensic(t, true)
	sameSights(t, append(rows, left...), append(again, leftAgain...))
	memory := heap(t)
	tried := copies(t)
	if t.Failed() {
		return // what must not be found is found: that is no page to keep
	}
	for name, lang := range map[string]prompts.Lang{"found.md": prompts.English, "gevonden.md": prompts.Dutch} {
		page := foundPage(lang, rows, left, memory, tried)
		path := filepath.Join("..", "docs", name)
		if *update {
			if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatalf("%v (make it with -update, and read it)", err)
		}
		if string(want) != page {
			t.Errorf("docs/%s does not say what is found:\n%s", name, firstDifference(page, string(want)))
		}
	}
}

// sameSights says that of a follow-up is found what is found of a question, but for the counts: it has none, and those of its
// question stand in the file all along.
func sameSights(t *testing.T, question, follow []sight) {
	t.Helper()
	if len(question) != len(follow) {
		t.Fatalf("%d sights of a question, %d of a follow-up", len(question), len(follow))
	}
	for i, s := range question {
		for place, kinds := range s.found {
			want, got := maps.Clone(kinds), maps.Clone(follow[i].found[place])
			delete(want, kCounts)
			delete(got, kCounts)
			if !maps.Equal(want, got) {
				t.Errorf("%s, %s: of a follow-up is found %v, of a question %v", s.moment, place, got, want)
			}
		}
	}
}

// foundWords are the page's words in both languages: English, Dutch.
var foundWords = map[string][2]string{
	// kinds
	kAccount: {"accounts", "accounts"}, kName: {"names", "namen"}, kMoment: {"moments of writing", "momenten van schrijven"},
	kMessage: {"message numbers", "berichtnummers"}, kAddress: {"accounts, scrambled with the ballot key", "accounts, versleuteld met de stemsleutel"},
	kKey: {"the ballot key", "de stemsleutel"}, kSealed: {"locked replies", "antwoorden op slot"}, kPrivate: {"words that were not shared", "woorden die niet gedeeld zijn"},
	kShared: {"shared words", "gedeelde woorden"}, kShelf: {"the key of the kept replies", "de sleutel van de bewaarde antwoorden"},
	kReply: {"kept replies, locked and nameless", "bewaarde antwoorden, op slot en zonder naam"}, kReceipt: {"check values of receipt codes", "controlewaarden van codes"},
	kCode: {"receipt codes", "codes"}, kRemoved: {"the reply that was taken away", "het antwoord dat is weggehaald"},
	kRemoving: {"the moment of taking away", "het moment van weghalen"}, kNumber: {"how many replied", "hoeveel mensen antwoordden"}, kCounts: {"the counts", "de aantallen"},
	// moments
	"open": {"While the question is open", "Zolang de vraag open is"}, "unreleased": {"Closing, cut off at the start", "Sluiten, afgebroken aan het begin"},
	"released": {"Closing, cut off before the key is destroyed", "Sluiten, afgebroken voor de sleutel weg is"}, "keyless": {"Closing, cut off before free space is wiped", "Sluiten, afgebroken voor de vrije ruimte is gewist"},
	"closed": {"Just closed", "Net gesloten"}, "given": {"After the give-back", "Na de terugblik"},
	"taken": {"After one author took a reply away", "Nadat een schrijver een antwoord weghaalde"}, "forgotten": {"After the keeping time", "Na de bewaartijd"},
	"uncounted": {"A year after the season", "Een jaar na het seizoen"},
	// places
	"store": {"store file", "opslagbestand"}, "keys": {"key folder", "sleutelmap"}, "backup": {"new backup", "nieuwe reservekopie"}, "log": {"log", "logboek"}, "sent": {"sent to the channel", "naar het kanaal gestuurd"},
	"when": {"moment", "moment"}, "nothing": {"nothing", "niets"}, "what": {"what", "wat"}, "found": {"what is found", "wat er te vinden is"},
	// left over
	"replaced": {"Blocks of the old file, after `compact` replaced it while the question was open", "Blokken van het oude bestand, nadat `compact` het verving terwijl de vraag open was"},
	"slot":     {"Blocks of the destroyed key file", "Blokken van het vernietigde sleutelbestand"},
	"early":    {"Backup made while the question was open, kept until today", "Reservekopie van toen de vraag open was, bewaard tot vandaag"},
	"late":     {"Backup made just after closing, kept until today", "Reservekopie van net na het sluiten, bewaard tot vandaag"},
	// copies
	"yes": {"**yes**", "**ja**"}, "no": {"no", "nee"}, "people": {"who took part", "wie meedeed"}, "links": {"who wrote what", "wie wat schreef"}, "words": {"what was written", "wat er geschreven is"},
	"open file":                       {"The file from while the question was open", "Het bestand van toen de vraag open was"},
	"open backup":                     {"A backup from while it was open", "Een reservekopie van toen de vraag open was"},
	"open backup, keys left":          {"File and backup from while it was open, and all keys that are left after closing", "Bestand en reservekopie van toen de vraag open was, en alle sleutels die na het sluiten over zijn"},
	"open backup, open key":           {"A backup from while it was open, and the ballot key, copied at that time", "Een reservekopie van toen de vraag open was, en de stemsleutel, toen gekopieerd"},
	"open backup, other key":          {"The same backup, and the ballot key of another round", "Dezelfde reservekopie, en de stemsleutel van een andere ronde"},
	"closed file":                     {"File and backup from after closing", "Bestand en reservekopie van na het sluiten"},
	"closed file, open key":           {"File and backup from after closing, and the ballot key, copied while it was open", "Bestand en reservekopie van na het sluiten, en de stemsleutel, gekopieerd toen de vraag open was"},
	"closed file, keys left":          {"File and backup from after closing, and all keys that are left", "Bestand en reservekopie van na het sluiten, en alle sleutels die over zijn"},
	"all files, keys left":            {"All of these files, and all keys that are left after closing", "Al deze bestanden, en alle sleutels die na het sluiten over zijn"},
	"closed backup, shelf key, later": {"After the keeping time: a backup from before, and the key of the kept replies, copied before", "Na de bewaartijd: een reservekopie van daarvoor, en de sleutel van de bewaarde antwoorden, daarvoor gekopieerd"},
	"all files, later":                {"After the keeping time: all of these files, and all keys that are left", "Na de bewaartijd: al deze bestanden, en alle sleutels die over zijn"},
}

// foundText is what stands around the tables: introduction, then what each table is about, then what remains.
var foundText = map[prompts.Lang][]string{
	prompts.English: {`# What can be found

This page is for who must judge whether Weerklank keeps its promise, a privacy officer for instance. It says what somebody
finds who holds the store file, the key folder, the log and old backups. **A test makes this page.** It lets ten people
reply in every way there is: by form, by typing, changed, withdrawn, as a draft, for themselves. Then it searches every
place at every moment, byte by byte, freed space included, in plain form and in the usual disguises. If a search ever
finds something else than stands here, the test fails and the program is not released.

Run it yourself: ` + "`go test ./bot -run TestFound`" + `. What happens with several rounds, and whether order, size or place betray
anything, is in ` + "`TestRepliesCannotBeLinked`" + ` and ` + "`TestWhoTookPartLeavesNoTrace`" + `. A follow-up question has a ballot box and
keys of its own. The same test plays it too, and fails if anything else is found of a follow-up than of a question.

## Never found, at no moment, in none of these places

`, `
That is about who replied. The account of a manager who switched the team on or changed its settings does stand in the
file and in its list of changes; of who switched it on, or was passed something on, the name too. What a team agrees on is
written openly in the channel: the file holds the line, and not who wrote it.

## Place by place

"Locked" means: unreadable without the key. The ballot key stands in the key folder only, and never in a backup. A cut at
a step of closing lasts until the program is started again; then closing goes on by itself.

`, `
## What is left over

`, `
## Memory

The live memory of the running program, after tidying up. The program does not overwrite memory that it has let go of:
for a while, words and accounts may stand there. So it forbids memory dumps before it reads any secret, and other
programs of the same user cannot look inside. Switch swap off, or give the service ` + "`MemorySwapMax=0`" + `: what is swapped out
lies on the disk.

`, `
## What copies give away

Somebody made copies, at different moments, and knows ten thousand accounts and when each of the members wrote. What do
they learn about one round?

`, `
So the one thing that breaks the promise is a ballot key that was copied while the question was open, together with the
file of that time. It opens that round only. Nobody can undo such a copy; that is why the promise says so.

## What remains visible

- While the question is open, the file and every backup show **how many** replies lie there. Two backups, a day apart, show
  how many came, went or changed. Not whose.
- After closing, no record and no backup says how many replied when there were too few. When there were enough, the counts
  stand in the file: how many replied and how often each answer was chosen. No count crosses two questions.
- Of a follow-up question no count is kept. That too few replied and that nobody would share look the same. What was shared
  is kept locked, one piece for each reply.
- Of a round with enough replies the file also keeps the words that **three or more replies** have in common, with how many
  replies have them. That includes replies that were only counted. Rarer words leave nothing, nor do names, numbers and
  what looks like personal data: ` + "`TestRareWordsLeaveNothing`" + `.
- A name that three or more shared replies of a round gave to "something else", in more than one round, is kept for the
  library's editors. It goes with the last of the replies that it rests on: ` + "`TestNamesGoWithTheirReplies`" + `.
- Of what the program would have guessed, the file keeps totals for each tension: how often it would have spoken, and how
  often it was right. They are of all teams together and grow by three or more: ` + "`TestJudgementsWaitForEachOther`" + `.
- That nothing is said of a tension can mean that nobody named it in certain rounds. Whoever knows how many
  chose anything can work that out about one in a thousand times that rounds are put side by side. That somebody did name it
  in a round without a sign never follows:
  ` + "`TestNoRoundIsDetermined` and `TestSilenceRarelyProves`" + `.
- The live file counts its writes, of all teams together. Who notes that number before and after a round can tell how
  busy it was. ` + "`weerklank compact`" + ` and every backup begin counting anew.
- When an author takes a reply away, the give-back in the channel changes, and the platform shows when. The file keeps that
  moment only until freed space is wiped the next time. A backup from before still holds that reply, locked, until the
  keeping time ends.
- The platform knows more than this program: who opened a form and when, and everything that was typed.
- What is shared can be recognised by its style, by who knows the writer.
`},
	prompts.Dutch: {`# Wat er te vinden is

Deze pagina is voor wie moet beoordelen of Weerklank zijn belofte houdt. Bijvoorbeeld een functionaris gegevensbescherming.
Hier staat wat iemand vindt met het opslagbestand, de sleutelmap, het logboek en oude reservekopieën in handen.
**Een test maakt deze pagina.** In de test antwoorden tien mensen op alle manieren die er zijn: met het venster, getypt,
gewijzigd, ingetrokken, als kladje, voor zichzelf. Daarna doorzoekt de test elke plek op elk moment. Byte voor byte, ook
de vrijgekomen ruimte, gewoon leesbaar en in de bekende vermommingen. Vindt de test ooit iets anders dan hier staat? Dan
mislukt hij, en komt er geen nieuwe versie uit.

Zelf doen: ` + "`go test ./bot -run TestFound`" + `. Of volgorde, grootte of plaats iets verraden, over veel rondes, staat in
` + "`TestRepliesCannotBeLinked`" + ` en ` + "`TestWhoTookPartLeavesNoTrace`" + `. Een vraag om verder te denken heeft een eigen stembus
met eigen sleutels. Dezelfde test speelt ook die na. Hij mislukt als daar iets anders te vinden is dan bij een gewone vraag.

## Nooit gevonden, op geen moment, op geen van deze plekken

`, `
Dit gaat over wie antwoordde. Het account van een beheerder die het team aanzette of de instellingen wijzigde, staat wel
in het bestand, in de lijst met wijzigingen. Van wie het aanzette of iets doorgegeven kreeg, staat ook de naam er. Wat een
team afspreekt, staat open in het kanaal: het bestand heeft de regel, en niet wie hem schreef.

## Plek voor plek

'Op slot' betekent: niet te lezen zonder de sleutel. De stemsleutel staat alleen in de sleutelmap, en nooit in een
reservekopie. Breekt het sluiten halverwege af? Dan gaat het verder zodra het programma weer start.

`, `
## Wat er overblijft

`, `
## Geheugen

Het geheugen dat het programma gebruikt, na het opruimen. Geheugen dat het heeft losgelaten, overschrijft het niet. Daar
kunnen woorden en accounts nog even staan. Daarom verbiedt het programma geheugendumps voordat het een geheim leest.
Andere programma's van dezelfde gebruiker kunnen er niet in kijken. Zet swap uit, of geef de dienst ` + "`MemorySwapMax=0`" + `:
wat in de swap belandt, staat op de schijf.

`, `
## Wat kopieën verraden

Iemand maakte kopieën, op verschillende momenten. Die persoon kent tienduizend accounts, en weet wanneer elk teamlid
schreef. Wat leert die persoon over één ronde?

`, `
Eén ding breekt de belofte dus: een stemsleutel die is gekopieerd terwijl de vraag open was, samen met het bestand van
toen. Die opent alleen die ronde. Niemand kan zo'n kopie ongedaan maken. Daarom staat het in de belofte.

## Wat zichtbaar blijft

- Zolang de vraag open is, tonen het bestand en elke reservekopie **hoeveel** antwoorden er liggen. Twee reservekopieën, met
  een dag ertussen, tonen hoeveel er bij kwamen, weg gingen of veranderden. Niet van wie.
- Na het sluiten staat nergens hoeveel mensen antwoordden als het er te weinig waren. Niet in het bestand, niet in een
  reservekopie. Waren het er genoeg? Dan staan de aantallen in het bestand: hoeveel mensen antwoordden, en hoe vaak elk
  antwoord is gekozen. Geen aantal kruist twee vragen.
- Van een vraag om verder te denken blijft geen aantal bewaard. Dat er te weinig antwoorden waren, en dat niemand wilde
  delen, ziet er hetzelfde uit. Wat gedeeld is, ligt op slot, per antwoord apart.
- Van een ronde met genoeg antwoorden bewaart het bestand ook de woorden die **drie of meer antwoorden** gemeen hebben, en
  hoeveel antwoorden dat zijn. Ook antwoorden die alleen meetellen doen daarin mee. Zeldzamere woorden laten niets achter.
  Namen, getallen en wat op persoonsgegevens lijkt ook niet: ` + "`TestRareWordsLeaveNothing`" + `.
- Noemen drie of meer gedeelde antwoorden van een ronde 'iets anders' hetzelfde, en gebeurt dat in meer dan één ronde? Dan
  bewaart het bestand die naam voor de redactie van de bibliotheek. Hij gaat weg met het laatste antwoord waar hij op rust:
  ` + "`TestNamesGoWithTheirReplies`" + `.
- Van wat het programma zou hebben geraden, bewaart het bestand totalen per spanning: hoe vaak het iets zou zeggen, en hoe
  vaak dat klopte. Die zijn van alle teams samen, en groeien met drie of meer tegelijk: ` + "`TestJudgementsWaitForEachOther`" + `.
- Zegt het programma niets over een spanning, dan kan dat betekenen dat niemand haar noemde in bepaalde rondes. Wie weet
  hoeveel mensen iets kozen, kan dat ongeveer één op de duizend keren uitrekenen. Dat iemand haar wel noemde in een ronde
  zonder teken, volgt nooit: ` + "`TestNoRoundIsDetermined` en `TestSilenceRarelyProves`" + `.
- Het bestand telt hoe vaak erin is geschreven, van alle teams samen. Wie dat getal voor en na een ronde opschrijft, ziet
  hoe druk het was. ` + "`weerklank compact`" + ` en elke reservekopie beginnen opnieuw te tellen.
- Haalt een schrijver een antwoord weg, dan verandert de terugblik in het kanaal. Het platform toont wanneer. Het bestand
  bewaart dat moment alleen tot de vrije ruimte weer wordt gewist. In een eerdere reservekopie staat dat antwoord nog, op
  slot, tot de bewaartijd om is.
- Het platform weet meer dan dit programma: wie een venster opende en wanneer, en alles wat is getypt.
- Wie de schrijver kent, herkent gedeelde woorden soms aan de stijl.
`},
}

func foundPage(lang prompts.Lang, rows, left, memory []sight, tried []copied) string {
	w := func(key string) string {
		pair, ok := foundWords[key]
		if !ok {
			panic(key)
		}
		if lang == prompts.Dutch {
			return pair[1]
		}
		return pair[0]
	}
	order := []string{kAccount, kName, kMoment, kMessage, kPrivate, kCode, kNumber, kAddress, kSealed, kKey, kCounts, kReply, kReceipt, kShelf, kShared, kRemoved, kRemoving}
	gone := false
	cell := func(kinds map[string]bool) string {
		var all []string
		for _, k := range order {
			switch {
			case !kinds[k], k == kRemoved && !gone && (kinds[kReply] || kinds[kReceipt]): // then one of the kept replies
			default:
				all = append(all, w(k))
			}
		}
		if len(all) == 0 {
			return w("nothing")
		}
		return strings.Join(all, "; ")
	}
	text := foundText[lang]
	var out strings.Builder
	row := func(cells ...string) { fmt.Fprintf(&out, "| %s |\n", strings.Join(cells, " | ")) }
	rule := func(n int) { out.WriteString("|" + strings.Repeat("---|", n) + "\n") }
	out.WriteString(text[0])
	for _, k := range neverAnywhere {
		out.WriteString("- " + w(k) + "\n")
	}
	out.WriteString(text[1])
	titles := []string{w("when")}
	for _, p := range placesLooked {
		titles = append(titles, w(p))
	}
	row(titles...)
	rule(len(titles))
	for _, s := range rows {
		gone = gone || s.moment == "taken"
		cells := []string{w(s.moment)}
		for _, p := range placesLooked {
			cells = append(cells, cell(s.found[p]))
		}
		row(cells...)
	}
	gone = false
	out.WriteString(text[2])
	row(w("what"), w("found"))
	rule(2)
	for _, s := range left {
		row(w(s.moment), cell(s.found["blocks"]))
	}
	out.WriteString(text[3])
	row(w("when"), w("found"))
	rule(2)
	for _, s := range memory {
		row(w(s.moment), cell(s.found["heap"]))
	}
	out.WriteString(text[4])
	row(w("what"), w("people"), w("links"), w("words"))
	rule(4)
	for _, c := range tried {
		row(w(c.name), w(c.people), w(c.links), w(c.words))
	}
	out.WriteString(text[5])
	return out.String()
}
