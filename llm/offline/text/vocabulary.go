package text

// Words that both packages propose and extract need.
var (
	CountedPlurals = NewWordSet(`people guests persons tickets passengers travelers travellers adults children rooms
		beds seats nights items participants employees`)
	Adjectives = NewWordSet(`valid verified full current new correct own preferred exact registered primary
		personal actual updated complete recent confirmed working official desired requested intended main
		alternative latest existing additional other`)
	ListWords = NewWordSet("and or plus also")
	// PhraseEnds end a noun phrase.
	PhraseEnds = NewWordSet(`to for in on at by with from before after so if when that which who whom as via per
		because unless until till using about is are was were must will should can could may might has have had be
		been being do does did and or but then than into onto over under through while where how why what whether
		not without within during upon once i we they he she you it there here please also first instead again
		between against`)
)
