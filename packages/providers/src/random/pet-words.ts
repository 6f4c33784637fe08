/** The words of pet names: lists of our own, so a name is of the same form as one of `hashicorp/random`, but of other words. */
/** What a long name begins with. */
export const adverbs: readonly string[] = words(`
  ably amply aptly barely boldly briefly brightly briskly busily calmly candidly carefully cheerfully clearly
  closely coolly daily daringly deeply deftly dimly duly eagerly early earnestly easily evenly fairly finely
  firmly fondly frankly freely freshly gently gladly gracefully greatly happily heartily highly honestly
  humbly idly jointly jovially justly keenly kindly lately lightly lively loosely loudly loyally luckily
  mainly merrily mildly mostly neatly newly nicely nimbly nobly oddly openly partly patiently plainly politely
  promptly proudly purely quaintly quickly quietly rapidly rarely readily richly rightly safely serenely
  sharply shyly silently simply sincerely slowly smoothly softly soundly stably steadily strongly subtly
  sunnily surely sweetly swiftly tenderly tidily truly vastly vividly warmly widely wisely yearly
`);

/** What stands before the animal. */
export const adjectives: readonly string[] = words(`
  able active agile airy alert amber ample apt arctic avid awake azure balmy bold brave breezy bright brisk
  calm candid careful cheery civil clever cosmic cosy crisp curious dapper daring dear deft dewy eager early
  earnest easy equal exact fair famous fancy fast fine firm fleet fluent fond frank free fresh gallant gentle
  giant glad golden good grand great green happy hardy hearty honest humble ideal jolly jovial joyful just
  keen kind large lasting learned light liked lively logical loved loyal lucid lucky magic main mellow merry
  mighty mild modest moral mossy native neat nice nimble noble novel open patient placid plucky polite popular
  prime proper proud pure quick quiet rapid rare ready regal rich robust rosy royal safe sage selected serene
  sharp silent silver sincere smart smooth snowy social solid sound spry stable starry steady still strong
  subtle sunny sweet swift tender tidy trim true trusty upbeat useful valid vast velvet vital vivid warm
  wealthy willing wise witty worthy young zesty
`);

/** What every name ends with. */
export const animals: readonly string[] = words(`
  adder albatross alpaca ant antelope ape baboon badger barnacle bat bear beaver bee beetle bison blackbird
  boar bobcat buffalo bull bumblebee butterfly camel caribou cat caterpillar chamois cheetah chicken
  chinchilla chipmunk cicada cobra cod condor coot cormorant cow coyote crab crane cricket crow cuckoo curlew
  deer dingo dog dolphin donkey dormouse dove dragonfly duck eagle eel egret eland elephant elk emu falcon
  ferret finch firefly flamingo fox frog gazelle gecko gibbon giraffe gnat gnu goat goldfinch goose gopher
  grouse gull hamster hare hawk hedgehog heron herring hippo hornet horse hummingbird ibex ibis iguana impala
  jackal jaguar jay kestrel kingfisher kite kitten kiwi koala koi krill lamb lark lemming lemur leopard limpet
  lion lizard llama lobster locust loon lynx macaw mackerel magpie mallard manatee mantis marlin marmot marten
  mink mole mongoose monkey moose moth mouse mule muskrat narwhal newt nightingale octopus okapi orca oryx
  osprey ostrich otter owl ox oyster panda panther parrot partridge pelican penguin perch pheasant pigeon pike
  plover pony porcupine puffin puma quail rabbit raccoon ram raven ray redstart reindeer robin rook salmon
  sardine seahorse seal shark sheep shrew shrimp skunk skylark sloth snail snipe sparrow spider squid squirrel
  starling stoat stork sturgeon swallow swan swift tapir tern thrush tiger toad tortoise toucan trout tuna
  turtle vole vulture walrus warbler wasp weasel whale wolf wombat woodpecker wren yak zebra
`);

function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}
