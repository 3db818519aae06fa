# A user of Hydra, Optuna and MLflow, with her habits.

# Configurations of her own, by Hydra's rules.
mkdir -p conf/classifier conf/sweeps
cat > conf/classifier/forest.yaml <<'YAML'
# A small forest
_target_: sklearn.ensemble.RandomForestClassifier
n_estimators: 10
max_depth: null
random_state: null
YAML
python -m sweepmark run classifier=forest dataset=digits classifier.max_depth=None --config-dir conf --cfg job > job.yaml
says job.yaml "max_depth: null"
says job.yaml RandomForestClassifier

# Hydra's sweep syntax; -m is said to be a verb of its own, and its command works when pasted.
common=(dataset=digits classifier=forest engine=serial --config-dir conf)
ends 2 sweepmark run -m 'classifier.max_depth=3,None' "${common[@]}"
says said "sweepmark sweep classifier.max_depth=3,None"
sweepmark sweep 'classifier.max_depth=3,None' "${common[@]}" --csv > board.csv 2> log
says board.csv classifier.max_depth
[ "$(wc -l < board.csv)" = 3 ]

# She has MLFLOW_TRACKING_URI in her profile: it is said that it is not used, and nothing is written there.
export MLFLOW_TRACKING_URI=sqlite:///$PWD/elsewhere.db MLFLOW_RUN_ID=0123 MLFLOW_EXPERIMENT_NAME=hers
sweepmark sweep 'classifier.n_estimators=int(interval(5,20))' sweep.n_trials=3 "${common[@]}" > swept 2> log
says log MLFLOW_TRACKING_URI
[ ! -e elsewhere.db ]
unset MLFLOW_TRACKING_URI MLFLOW_RUN_ID MLFLOW_EXPERIMENT_NAME

# Optuna and MLflow have what was done, read by their own clients.
"$PYTHON" -I "$HERE/clients.py" mlruns

# A data file with a name like a Hydra expression, in a shell that expands nothing.
cp "$GIVEN/digits.csv" 'x=[1,2].csv'
sweepmark run dataset=csv 'dataset.path=x=[1,2].csv' classifier=knn engine=serial tracking=none > said 2>&1
says said accuracy
ends 2 sweepmark run dataset=csv dataset.path= classifier=knn
says said dataset.path

# Pipes and readers that go away.
sweepmark sweep --list | head -1 > said
says said adhoc
