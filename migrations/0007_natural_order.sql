-- Titles in the order people expect: letters beside the same letters with accents, in either case, and numbers by their value.
--
-- Collations of ICU can do so as well. They are not everywhere, and their order changes with their version, after which an index
-- has to be built again. This is the same on every server.

CREATE FUNCTION title_order(title text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN left(
  -- Each number gets as many zeros before it that it has 20 digits.
  regexp_replace(regexp_replace(
    translate(
      replace(replace(replace(replace(translate(
        -- In this collation, only ASCII has a lower case, on every server.
        lower(regexp_replace(normalize(title, NFD), '[\u0300-\u036f]', '', 'g') COLLATE "C"),
        'ẞÆŒÞ', 'ßæœþ'), 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th'),
      'ÐØĐĦĲĿŁŊŦͰͲͶͿΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩϏϘϚϜϞϠϢϤϦϨϪϬϮϴϷϹϺϽϾЂЄЅІЈЉЊЋЏАБВГДЕЖЗИКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯѠѢѤѦѨѪѬѮѰѲѴѸѺѼѾҀҊҌҎҐҒҔҖҘҚҜҞҠҢҤҦҨҪҬҮҰҲҴҶҸҺҼҾӀӃӅӇӉӋӍӔӘӠӨӶӺӼӾԀԂԄԆԈԊԌԎԐԒԔԖԘԚԜԞԠԢԤԦԨԪԬԮԱԲԳԴԵԶԷԸԹԺԻԼԽԾԿՀՁՂՃՄՅՆՇՈՉՊՋՌՍՎՏՐՑՒՓՔՕøłđðħıς',
      'dodhĳŀlŋŧͱͳͷϳαβγδεζηθικλμνξοπρστυφχψωϗϙϛϝϟϡϣϥϧϩϫϭϯθϸϲϻͻͼђєѕіјљњћџабвгдежзиклмнопрстуфхцчшщъыьэюяѡѣѥѧѩѫѭѯѱѳѵѹѻѽѿҁҋҍҏґғҕҗҙқҝҟҡңҥҧҩҫҭүұҳҵҷҹһҽҿӏӄӆӈӊӌӎӕәӡөӷӻӽӿԁԃԅԇԉԋԍԏԑԓԕԗԙԛԝԟԡԣԥԧԩԫԭԯաբգդեզէըթժիլխծկհձղճմյնշոչպջռսվտրցւփքօolddhiσ'
    ),
    '0*([0-9]+)', '00000000000000000000\1', 'g'), '0*([0-9]{20})(?![0-9])', '\1', 'g'),
  400
);

DROP INDEX posts_by_title;
CREATE INDEX posts_in_title_order ON posts (title_order(title) COLLATE "C", id) WHERE deleted_time IS NULL;
