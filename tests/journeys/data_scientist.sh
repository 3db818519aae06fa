# A data scientist: from an imbalanced table of numbers and text, with semicolons and decimal commas, to predictions
# in plain MLflow. GIVEN has customers.csv, with labels, and new.csv, without.

cp "$GIVEN/customers.csv" 'customers (2026).csv'
table=(dataset=csv "dataset.path=customers (2026).csv" dataset.label=churned task.positive=yes)

# What is it? Nothing but the label is named: separator, decimal comma and kinds of columns are found out.
sweepmark data describe csv "${table[1]}" dataset.label=churned > described
says described tariff
sweepmark run "${table[@]}" classifier=dummy evaluation=cv > first 2>&1
says first "dataset.drop=[customer]"
says first "majority class"
table+=('dataset.drop=[customer]')

# Which classifier, by a metric that suits rare positives? No preprocessing is named.
sweepmark sweep which_classifier "${table[@]}" sweep.n_trials=6 sweep.objective=cv_matthews_corrcoef > swept 2>&1
says swept cv_matthews_corrcoef
says swept "chosen: trial"
says_not swept grade
sweepmark compare latest > compared
says compared yes

# What a wrong answer costs: other figures of the same fits.
sweepmark sweep which_classifier "${table[@]}" sweep.n_trials=6 sweep.objective=cv_cost \
  'evaluation.metrics=[{name: cost, cost: {yes: {no: 10}, no: {yes: 1}}}]' > costs 2>&1
says costs cv_cost
says costs "reused"

# Its answers for new rows, with their ids and probabilities.
cp "$GIVEN/new.csv" .
sweepmark predict latest new.csv --id customer -o labels.csv
[ "$(head -1 labels.csv | cut -d, -f1,2)" = customer,label ]
[ "$(wc -l < labels.csv)" = "$(wc -l < new.csv)" ]

# The model, handed on to somebody who has MLflow and scikit-learn, and no sweepmark.
sweepmark register latest churn --alias champion
"$PYTHON" -I -S "$HERE/plain_mlflow.py" "$SITE_PACKAGES" mlruns new.csv labels.csv
