# Reference values of tests/clustering: base R (hclust) and spdep (skater), made with R 4.2.2, spdep 1.2-7.
#   Rscript make_reference.R        (in this folder)
# Reads features.csv (ln(1 + quotient), rows sorted by region; mass, an arbitrary weight) and neighbors.csv
# (queen contiguity); writes labels.csv, heights.csv and curves.csv.

table <- read.csv("features.csv", row.names = 1, encoding = "UTF-8")
mass <- table$mass
points <- as.matrix(table[, names(table) != "mass"])
n <- nrow(points)
pairs <- read.csv("neighbors.csv", encoding = "UTF-8")
near <- diag(n)
near[cbind(match(pairs$region, rownames(points)), match(pairs$neighbor, rownames(points)))] <- 1

labels <- NULL
heights <- NULL
keep <- function(tree, name, ks = 2:8) {
  for (k in ks) labels <<- rbind(labels, data.frame(method = name, k = k, row = 1:n, cluster = cutree(tree, k)))
  heights <<- rbind(heights, data.frame(method = name, merge = 1:(n - 1), height = tree$height))
}

distances <- dist(points)
keep(hclust(distances, "average"), "average")
keep(hclust(distances, "complete"), "complete")
keep(hclust(distances, "ward.D2"), "ward")

# Ward's criterion on mixed squared dissimilarities of weighted regions (Chavent et al. 2018).
square0 <- (as.matrix(distances) / max(distances))^2
position <- cmdscale(as.dist(1 - near + outer(1:n, 1:n, function(i, j) abs(i - j)) / n), 2)
space <- as.matrix(dist(position))
write.csv(round(space, 12), "space.csv", row.names = FALSE)
space <- as.matrix(read.csv("space.csv"))
square1 <- (space / max(space))^2
within <- function(square, cluster, w) sum(sapply(unique(cluster), function(c) {
  at <- cluster == c
  sum(outer(w[at], w[at]) * square[at, at]) / (2 * sum(w[at]))
}))
curves <- NULL
for (weights in c("equal", "mass")) {
  w <- if (weights == "equal") rep(1 / n, n) else mass / sum(mass)
  gain <- outer(w, w) / outer(w, w, "+")
  for (alpha in seq(0, 1, 0.1)) {
    tree <- hclust(as.dist(gain * ((1 - alpha) * square0 + alpha * square1)), "ward.D", members = w)
    name <- sprintf("clustgeo-%s-%.1f", weights, alpha)
    keep(tree, name, c(3, 5))
    for (k in c(3, 5)) {
      cluster <- cutree(tree, k)
      curves <- rbind(curves, data.frame(weights, alpha, k,
        q_features = 1 - within(square0, cluster, w) / within(square0, rep(1, n), w),
        q_space = 1 - within(square1, cluster, w) / within(square1, rep(1, n), w)))
    }
  }
}

# SKATER with sums of squares, as in the paper; spdep's own "euclidean" sums distances that are not squared.
suppressPackageStartupMessages(library(spdep))
diag(near) <- 0
neighbors <- mat2listw(near)$neighbours
costs <- nbcosts(neighbors, points)
tree <- mstree(nb2listw(neighbors, costs, style = "B"), 1)
squares <- function(data, id) sum(scale(data[id, , drop = FALSE], scale = FALSE)^2)
for (k in 2:8) {
  cut <- skater(tree[, 1:2], points, k - 1, method = squares)$groups
  labels <- rbind(labels, data.frame(method = "skater", k = k, row = 1:n, cluster = cut))
}

write.csv(labels, "labels.csv", row.names = FALSE, quote = FALSE)
write.csv(format(heights, digits = 15, trim = TRUE), "heights.csv", row.names = FALSE, quote = FALSE)
write.csv(format(curves, digits = 15, trim = TRUE), "curves.csv", row.names = FALSE, quote = FALSE)
