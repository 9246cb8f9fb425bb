// What every code system and value set of ours says about itself.

RuleSet: LocalCodeSystem
* ^experimental = true
* ^caseSensitive = true
* ^content = #complete

RuleSet: LocalValueSet
* ^experimental = true

// A value set that quotes SNOMED CT, LOINC, RxNorm or NUCC carries the owner's notice.
RuleSet: SnomedNotice
* ^copyright = "This value set includes content from SNOMED CT, used by permission of SNOMED International. All rights reserved."

RuleSet: LoincNotice
* ^copyright = "This value set includes content from LOINC (http://loinc.org), copyright Regenstrief Institute, Inc. and the LOINC Committee, under the licence at http://loinc.org/license."

RuleSet: RxNormNotice
* ^copyright = "RxNorm names and codes are made available by the U.S. National Library of Medicine, which does not endorse this value set."

RuleSet: NuccNotice
* ^copyright = "The Health Care Provider Taxonomy code set is copyright American Medical Association, maintained by the National Uniform Claim Committee."
