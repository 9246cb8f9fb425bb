// Words of others that a ConceptMap takes in. A word that is not listed has no code and stays text.

CodeSystem: KAPRouteTextCS
Id: kap-route-text
Title: "Route words"
Description: "Route words as drug labels and RxNorm write them, in capitals."
* insert LocalCodeSystem
* #INTRAVENOUS "INTRAVENOUS" "Into a vein."
* #INTRAMUSCULAR "INTRAMUSCULAR" "Into a muscle."
* #SUBCUTANEOUS "SUBCUTANEOUS" "Under the skin."
* #NASAL "NASAL" "Into the nose."
* #ORAL "ORAL" "By mouth, swallowed."
* #SUBLINGUAL "SUBLINGUAL" "Under the tongue."
* #BUCCAL "BUCCAL" "In the cheek."
* #RECTAL "RECTAL" "Into the rectum."

CodeSystem: KAPFormulationTextCS
Id: kap-formulation-text
Title: "Formulation words"
Description: "Words that EHRs and pharmacies use for the forms of ketamine, in lower case."
* insert LocalCodeSystem
* #"injectable solution" "injectable solution" "A solution for injection."
* #"solution for injection" "solution for injection" "A solution for injection."
* #injection "injection" "A solution for injection."
* #vial "vial" "A vial with a solution for injection."
* #"nasal spray" "nasal spray" "A nasal spray, manufactured or compounded."
* #troche "troche" "A troche."
* #lozenge "lozenge" "A lozenge."
* #"rapid dissolve tablet" "rapid dissolve tablet" "A tablet that disintegrates in the mouth."
* #"orally disintegrating tablet" "orally disintegrating tablet" "A tablet that disintegrates in the mouth."
* #odt "odt" "Short for orally disintegrating tablet."
* #rdt "rdt" "Short for rapid dissolve tablet."
* #"oral solution" "oral solution" "A liquid to be swallowed."
* #capsule "capsule" "A capsule."
* #suppository "suppository" "A suppository."
