# A teacher: twelve students work in folders of their own, hand in what they did, and she ranks them.

students=(anna ben cleo dan eva finn gina hugo ida jan kim leo)
neighbours=(1 2 3 4 5 7 9 11 15 21 31 51)
for i in "${!students[@]}"; do
  name=${students[$i]}
  mkdir "$name"
  (
    cd "$name"
    sweepmark run dataset=digits classifier=knn classifier.n_neighbors="${neighbours[$i]}" run.name="$name" \
      grade=course engine=serial > result 2>&1
    sweepmark archive latest "../$name.zip"
  )
done

# Their stores, ranked on the common test set.
sweepmark grade "${students[@]/%//mlruns}" --rule course > class
for name in "${students[@]}"; do says class "$name"; done

# What they handed in, in a store of her own: checked, and graded alike.
for name in "${students[@]}"; do sweepmark restore "$name.zip" > /dev/null; done
[ "$(ls mlruns/sweeps/*.jsonl | wc -l)" = 12 ]
ends 0 sweepmark doctor --full
ends 0 sweepmark grade latest --rule course
says said points

# Handed in twice changes nothing; a file that was tampered with is refused, and leaves nothing.
ends 0 sweepmark restore anna.zip
head -c 2000 ben.zip > broken.zip
ends 2 sweepmark restore broken.zip
says said broken.zip
[ "$(ls mlruns/sweeps/*.jsonl | wc -l)" = 12 ]

# Another test set is not compared with theirs.
mkdir moritz
(cd moritz && sweepmark run dataset=digits split.size=400 classifier=knn engine=serial > result 2>&1)
ends 2 sweepmark grade anna/mlruns moritz/mlruns --rule course
says said moritz

# The term is over.
for journal in mlruns/sweeps/*.jsonl; do sweepmark forget "$(basename "$journal" .jsonl)" --yes > /dev/null; done
[ -z "$(ls mlruns/sweeps/*.jsonl 2> /dev/null)" ]
[ -z "$(ls mlruns/evaluations)" ]
ends 0 sweepmark doctor --full
